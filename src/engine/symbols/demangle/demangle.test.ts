import { expect, it } from "vitest";
import { demangle } from "./index.ts";

const rows: readonly (readonly [mangled: string, text: string])[] = [
  // Plain names.
  ["main", "main"],
  ["_start", "_start"],
  ["_Zebra", "_Zebra"],
  ["_ZN2ns1fEi", "ns::f(int)"],
  ["_Z4drawv", "draw()"],
  ["_ZN12_GLOBAL__N_15countE", "(anonymous namespace)::count"],
  ["_ZNK5Queue4sizeEv", "Queue::size() const"],
  ["_ZNKR5Queue5frontEv", "Queue::front() const &"],
  ["_ZN5QueueC1ERKS_", "Queue::Queue(Queue const&)"],
  ["_ZN5QueueD0Ev", "Queue::~Queue()"],
  ["_ZN3LogB5cxx11Ev", "Log[abi:cxx11]()"],
  // Types.
  ["_Z1fPKcRilmyb", "f(char const*, int&, long, unsigned long, unsigned long long, bool)"],
  ["_Z1fA5_A6_i", "f(int [5][6])"],
  ["_Z1fRA5_KA6_i", "f(int const (&) [5][6])"],
  ["_Z1fPFPFviEcE", "f(void (*(*)(char))(int))"],
  ["_Z1fM5QueueKFivE", "f(int (Queue::*)() const)"],
  ["_Z1fM5Queuei", "f(int Queue::*)"],
  ["_Z1fDv4_f", "f(float __vector(4))"],
  ["_Z1fPVKi", "f(int const volatile*)"],
  ["_Z1fSs", "f(std::basic_string<char, std::char_traits<char>, std::allocator<char> >)"],
  ["_ZNSaIcEC1Ev", "std::allocator<char>::allocator()"],
  ["_ZNSoD1Ev", "std::basic_ostream<char, std::char_traits<char> >::~basic_ostream()"],
  // Templates: arguments, packs, references to references.
  ["_Z1fIiEvT_", "void f<int>(int)"],
  ["_Z1fIiEPFvcET_", "void (*f<int>(int))(char)"],
  ["_ZN1fIRiEEvOT_", "void f<int&>(int&)"],
  ["_Z1fIA5_KcEvRKT_", "void f<char const [5]>(char const (&) [5])"],
  ["_Z3addIJiclEEvDpOT_", "void add<int, char, long>(int&&, char&&, long&&)"],
  ["_Z3addIJEEvDpOT_", "void add<>()"],
  ["_ZN5QueueIiEcvT_IcEEv", "Queue<int>::operator char<char>()"],
  ["_Z1fILi5ELj5ELb1ELc65ELin5EEvv", "void f<5, 5u, true, (char)65, -5>()"],
  ["_Z1fIXadL_ZN5Queue3popEvEEEvv", "void f<&Queue::pop>()"],
  ["_Z1fI5QueueIXgtLi5ELi3EEEEvv", "void f<Queue<((5)>(3))> >()"],
  ["_Z1fIiEDTplfp_Li1EET_", "decltype ({parm#1}+(1)) f<int>(int)"],
  [
    "_Z1fIiENSt9enable_ifIXsr3std11is_integralIT_EE5valueEvE4typeES1_",
    "std::enable_if<std::is_integral<int>::value, void>::type f<int>(int)",
  ],
  // A back reference to T_ means the T_ of where it stands.
  [
    "_ZZ4eachIiEvT_ENKUlRT_E_clIcEEDaS2_",
    "auto each<int>(int)::{lambda(auto:1&)#1}::operator()<char>(char&) const",
  ],
  // Operators, lambdas, what is local to a function.
  ["_ZN5QueueltIiEEvv", "void Queue::operator< <int>()"],
  ["_ZN5QueuecvPKcEv", "Queue::operator char const*()"],
  ["_Znwm", "operator new(unsigned long)"],
  ["_Zli3_kmPKcm", 'operator"" _km(char const*, unsigned long)'],
  ["_ZZ4mainENKUliE_clEi", "main::{lambda(int)#1}::operator()(int) const"],
  ["_ZZ4drawvE4once_0", "draw()::once"],
  ["_ZZ4drawiENKUlvE0_clEv", "draw(int)::{lambda()#2}::operator()() const"],
  // The compiler's own.
  ["_ZTV5Queue", "vtable for Queue"],
  ["_ZTI5Queue", "typeinfo for Queue"],
  ["_ZGVZ4drawvE4once", "guard variable for draw()::once"],
  ["_ZThn16_N5Queue3popEv", "non-virtual thunk to Queue::pop()"],
  ["_ZTv0_n24_N5Queue3popEv", "virtual thunk to Queue::pop()"],
  ["_ZTC5Queue16_4List", "construction vtable for List-in-Queue"],
  ["_GLOBAL__I__Z4drawv", "global constructors keyed to draw()"],
  ["_Z4drawv.isra.0.cold", "draw() [clone .isra.0] [clone .cold]"],
  // Rust before v0: the hash goes, escapes are undone.
  ["_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"],
  [
    "_ZN47_$LT$Queue$u20$as$u20$core..ops..drop..Drop$GT$4drop17hfedcba9876543210E",
    "<Queue as core::ops::drop::Drop>::drop",
  ],
  ["_ZN4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE.llvm.1234", "main::{{closure}}"],
  ["_ZN1a7m$uf6$d17h0123456789abcdefE", "a::möd"],
  // Rust v0.
  ["_RNvC3app4main", "app::main"],
  ["_RNvCs6xxl1lAjzDf_3app4main", "app::main"],
  ["_RINvC3app3genINtC3vec3VecmEE", "app::gen::<vec::Vec<u32>>"],
  ["_RNCNvC3app4mains_0", "app::main::{closure#1}"],
  ["_RNvMC3appNtB2_5Queue3pop", "<app::Queue>::pop"],
  ["_RNvXC3appNtB2_5QueueNtB2_4List3pop", "<app::Queue as app::List>::pop"],
  ["_RINvC3app1fAtj4_RShTaReEE", "app::f::<[u16; 4], &[u8], (i8, &str)>"],
  ["_RINvC3app1fFG_RL0_hEuE", "app::f::<for<'a> fn(&'a u8)>"],
  ["_RINvC3app1fFKCPvEbE", 'app::f::<extern "C" fn(*const ...) -> bool>'],
  ["_RINvC3app1fDNtC3app4Listp4ItemlEL_E", "app::f::<dyn app::List<Item = i32>>"],
  ["_RINvC3app1fKj3_Kc78_Kb1_Kln5_E", "app::f::<3, 'x', true, -5>"],
  ["_RNvC3appu9gre_6ka1g", "app::ñgrße"],
  ["_RNvC3app4main.llvm.77.cold", "app::main.cold"],
];

it.each(rows)("%s", (mangled, text) => {
  expect(demangle(mangled)).toBe(text);
});

const bad = "Pi".repeat(3);
const hostile: readonly (readonly [what: string, name: string])[] = [
  ["pointers without end", `_Z1f${"P".repeat(30_000)}i`],
  ["names within names", `_Z${"N1a".repeat(10_000)}`],
  ["arguments within arguments", `_Z1fI${"1aI".repeat(5000)}${"E".repeat(5001)}vv`],
  ["a parameter that stands for itself", "_Z1fIPT_EvT_"],
  ["a length beyond the name", "_Z99999999999999999999a"],
  ["a reference to what is not there", `_Z1fS5_${bad}`],
  [
    "types that double at every step",
    `_Z1fFvPiS_E${Array.from({ length: 30 }, (_, i) => `FvS${i.toString(36).toUpperCase()}_S${i.toString(36).toUpperCase()}_E`).join("")}`,
  ],
  ["a Rust name that goes round in circles", "_RB_"],
  ["Rust arguments without end", `_R${"I".repeat(30_000)}`],
  ["Rust types that double at every step", `_RIC1aT${"TBb_Bb_Bb_Bb_E".repeat(2000)}E`],
  ["a Rust name of dots that ends badly", `_RNvC1a1b${".".repeat(32_000)}\u00ff`],
];

it.each(hostile)("leaves alone: %s", (_, name) => {
  const before = process.cpuUsage();
  const text = demangle(name);
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
  expect(text).toBe(name);
});

it("says no more than a bounded amount", () => {
  const name = `_Z1fIJ${"i".repeat(4000)}EEv${"DpT_".repeat(20)}`;
  expect(demangle(name).length).toBeLessThan(1 << 17);
});
