/** Functions by the names that their authors wrote: C++ through a compiler here, overloads and templates counted exactly. */
import { describe, expect, test } from "vitest";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { probeNames } from "../../../src/engine/list/probes.ts";
import { runScript } from "../../support/script.ts";
import { counts } from "../work/support.ts";
import { canTraceC, canTraceCpp, cppProgram, rustNames } from "./support.ts";

describe.skipIf(!canTraceCpp)("names of C++", () => {
  const program = cppProgram("names");
  const trace = (script: string, count = 4) =>
    runScript(script.replaceAll("WORK", program.path), ["-c", `${program.path} ${count} > /dev/null`]);
  const called = (stdout: string) => Object.fromEntries(counts(stdout, "@"));

  test.each<[spec: string, expected: Record<string, number>]>([
    ['WORK:cpp:"shop::price"', { "shop::price(int)": 4, "shop::price(char const*)": 8 }],
    ['WORK:cpp:"shop::price(char const *)"', { "shop::price(char const*)": 8 }],
    ["WORK:cpp:shop*price*", { "shop::price(int)": 4, "shop::price(char const*)": 8 }],
    [
      'WORK:cpp:"shop::twice"',
      {
        "int shop::twice<int>(int)": 4,
        "long shop::twice<long>(long)": 4,
        "double shop::twice<double>(double)": 4,
      },
    ],
    ['WORK:cpp:"shop::twice<long>"', { "long shop::twice<long>(long)": 4 }],
    ['WORK:cpp:"shop::twice<long>(long)"', { "long shop::twice<long>(long)": 4 }],
    ['WORK:cpp:"shop::Basket::?Basket"', { "shop::Basket::~Basket()": 8 }],
    ['WORK:cpp:"shop::Basket::*Basket"', { "shop::Basket::~Basket()": 8, "shop::Basket::Basket(int)": 8 }],
    ['cpp:"shop::Basket::operator=="', { "shop::Basket::operator==(shop::Basket const&) const": 4 }],
    ['*:cpp:"shop::Basket::total"', { "shop::Basket::total() const": 4 }],
    ['WORK:cpp:"plain"', { plain: 4 }],
    ['WORK:"_ZN4shop5priceEi"', { "shop::price(int)": 4 }],
  ])("uprobe:%s", async (spec, expected) => {
    const { stdout, stderr } = await trace(`uprobe:${spec} { @[func] = count(); }`);
    expect(stderr).toBe("");
    expect(called(stdout)).toEqual(expected);
  });

  test("returns, with the parameters of the names written as one likes", async () => {
    const { stdout, stderr } = await trace(
      'uretprobe:WORK:cpp:"shop::label( std::string const& )" { @ = count(); }' +
        ' uretprobe:WORK:cpp:"shop::Basket::add(int)" { @added = sum(retval); }',
    );
    expect(stderr).toBe("");
    expect(stdout).toContain("@: 4\n");
    // basket(i).add(1) for i = 0 … 3
    expect(stdout).toContain("@added: 10\n");
  });

  test("the standard library's, by their short names", () => {
    const long = probeNames(
      liveKernel(),
      'uprobe:libstdc++:cpp:"std::basic_ostream<char, std::char_traits<char> >::flush"',
    );
    expect(long).toEqual(probeNames(liveKernel(), 'uprobe:libstdc++:cpp:"std::ostream::flush"'));
    expect(long).toHaveLength(1);
  });

  test("in stacks and usym, unless the script says no", async () => {
    const script =
      'uprobe:WORK:_ZN4shop5priceEi { @[usym(reg("ip"))] = count(); printf("%s\\n", ustack(1)); exit(); }';
    const { stdout } = await trace(script);
    expect(stdout).toContain("shop::price(int)+0\n");
    expect(stdout).toContain("@[shop::price(int)]: ");
    const raw = await trace(`config = { cpp_demangle = false } ${script}`);
    expect(raw.stdout).toContain("_ZN4shop5priceEi+0\n");
    expect(raw.stdout).toContain("@[_ZN4shop5priceEi]: ");
  });

  test("the probe's name is the mangled one, as the reference has it", async () => {
    const { stdout } = await trace('uprobe:WORK:cpp:"shop::price(int)" { printf("%s\\n", probe); exit(); }');
    expect(stdout).toBe(`uprobe:${program.path}:cpp:_ZN4shop5priceEi\n`);
  });

  test.each([
    ['WORK:cpp:"shop::prices"', "there is no function shop::prices in", "did you mean shop::price"],
    ["WORK:price", "there is no function price in", 'did you mean cpp:"shop::price"?'],
    ["WORK:shop::price", "a name with colons is to be quoted", ':cpp:"shop::price"'],
    ["WORK:java:price", "'java' is no language of names", "there is cpp and rust"],
    ["WORK:rust:*price*", "matches *price*", "list"],
    ['*:cpp:"shop::nothing"', "programs and libraries matches shop::nothing", "list"],
  ])("uprobe:%s says what there is", async (spec, message, hint) => {
    const { stderr, status } = await trace(`uprobe:${spec} { @ = count(); }`);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });

  test("list shows them as they can be written in a probe", () => {
    expect(probeNames(liveKernel(), `uprobe:${program.path}:cpp:"shop::price*"`).sort()).toEqual([
      `uprobe:${program.path}:cpp:"shop::price(char const*)"`,
      `uprobe:${program.path}:cpp:"shop::price(int)"`,
    ]);
  });
});

describe.skipIf(!canTraceC)("names of Rust", () => {
  const program = rustNames("rusty");

  test.each<[spec: string, expected: Record<string, number>]>([
    ['WORK:rust:"app::work"', { "app::work": 4 }],
    ['WORK:cpp:"app::work"', { "app::work": 4 }],
    ['WORK:rust:"app::generic"', { "app::generic::<u16>": 8, "app::generic::<&str>": 4 }],
    ['WORK:rust:"app::generic::<&str>"', { "app::generic::<&str>": 4 }],
    ["WORK:rust:app*pop", { "app::pool::Queue::pop": 4 }],
    ['*:rust:"app::pool::*"', { "app::pool::Queue::pop": 4 }],
  ])("uprobe:%s", async (spec, expected) => {
    const script = `uprobe:${spec.replace("WORK", program.path)} { @[func] = count(); }`;
    const { stdout, stderr } = await runScript(script, ["-c", `${program.path} 4`]);
    expect(stderr).toBe("");
    expect(Object.fromEntries(counts(stdout, "@"))).toEqual(expected);
  });
});
