import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { writeSettings } from "./index.ts";
import { Settings, validSettings } from "./settings.ts";

describe("settings", () => {
  it.each<[unknown, object]>([
    [null, {}],
    ["text", {}],
    [
      { theme: "light", interval: 500 },
      { theme: "light", interval: 500 },
    ],
    [{ theme: "pink", interval: "1s", history: "no" }, {}],
    [{ history: ["a", 1] }, {}],
    [{ interval: 1 }, {}],
    [{ unknown: 1, zoom: true }, { zoom: true }],
  ])("of %j, %j is taken", (content, taken) => expect(validSettings(content)).toEqual(taken));

  const folder = mkdtempSync(join(tmpdir(), "tracedeck-settings-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("survive, and a broken file does not stop the deck", async () => {
    const failures: Error[] = [];
    const settings = new Settings(folder, writeSettings, (error) => failures.push(error));
    expect(settings.read()).toEqual({});
    settings.save({ theme: "light" });
    settings.save({ history: ["stop"] });
    await settings.flush();
    expect(settings.read()).toEqual({ theme: "light", history: ["stop"] });
    writeFileSync(join(folder, "config.json"), "{ broken");
    expect(settings.read()).toEqual({});
    settings.save({ zoom: true });
    await settings.flush();
    expect(JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))).toEqual({ zoom: true });
    expect(failures).toEqual([]);
  });
});
