import { expect, it } from "vitest";
import { shortFrame } from "./frame.ts";

it.each([
  ["main+46", "main"],
  ["0x7f32f83a0000", "0x7f32f83a0000"],
  ["5557eda4e153 outer+0 (/tmp/a b)", "outer"],
  ["ffffffff816e11d7 bprm_execve+1175", "bprm_execve"],
  ["tun_open+12 [tun]", "tun_open"],
  ["long shop::variadic<int, double>(int&&, double&&)+32", "shop::variadic"],
  [
    "shop::(anonymous namespace)::Basket<std::string, long>::add(long&&) const+18",
    "shop::{anonymous}::Basket::add",
  ],
  [
    "std::_Function_handler<long (int), main::{lambda(int)#1}>::_M_invoke(int&&)+11",
    "std::_Function_handler::_M_invoke",
  ],
  ["main::{lambda(int)#1}::operator()(int) const+3", "main::{lambda#1}"],
  ["Basket<long>::operator()(int) const+32", "Basket::operator()"],
  ["run(void (*)(int))+1", "run"],
  ["shrink(int) [clone .cold]", "shrink"],
  ["bool operator<(a const&, b const&)+4", "bool operator<(a const&, b const&)"],
  ["operator new(unsigned long)+9", "operator new(unsigned long)"],
  ["rs::generic::<alloc::string::String, 4>+600", "rs::generic"],
  ["std::rt::lang_start::<()>::{closure#0}+12", "std::rt::lang_start::{closure#0}"],
  [
    "<alloc::vec::Vec<u8> as core::iter::Iterator>::next+1",
    "<alloc::vec::Vec<u8> as core::iter::Iterator>::next",
  ],
  ["double Hot.inner(int)+306", "Hot.inner"],
  ["JS:*'tick file:///srv/app/burn.html:3:14+623", "JS:*'tick burn.html:3:14"],
  [
    "JS:~Module.load node:internal/modules/cjs/loader:1257:33+220",
    "JS:~Module.load node:internal/modules/cjs/loader:1257:33",
  ],
  ["py::A.go:/srv/app/a.py+8", "py::A.go:a.py"],
  ["odd<name", "odd<name"],
])("%s", (frame, short) => expect(shortFrame(frame)).toBe(short));
