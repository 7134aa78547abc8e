/**
 * Settings, the last layout and the history of commands. `conf` keeps the file (atomic writes, one place in the user's
 * configuration); because loading `conf` costs more than the whole first frame, the first read goes to the file itself
 * and `conf` is loaded when there is something to write.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { DEFAULT_SETTINGS, INTERVALS, type SavedSettings } from "./state.ts";

const WRITE_DELAY_MS = 500;

export function settingsFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), ".config"), "tracedeck");
}

/** What of a file's content can be trusted: a value of the wrong type counts as absent. */
export function validSettings(value: unknown): Partial<SavedSettings> {
  if (typeof value !== "object" || value === null) return {};
  const found = value as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  for (const [name, preset] of Object.entries(DEFAULT_SETTINGS)) {
    const given = found[name];
    if (typeof given === typeof preset && Array.isArray(given) === Array.isArray(preset)) out[name] = given;
  }
  const settings = out as Partial<SavedSettings>;
  if (settings.theme !== "dark" && settings.theme !== "light") delete settings.theme;
  if (settings.history && !settings.history.every((line) => typeof line === "string"))
    delete settings.history;
  const { interval } = settings;
  if (interval !== undefined && !(interval >= INTERVALS[0] && interval <= INTERVALS.at(-1)!))
    delete settings.interval;
  const { maxOverhead } = settings;
  if (maxOverhead !== undefined && !(maxOverhead >= 0 && maxOverhead <= 100)) delete settings.maxOverhead;
  return settings;
}

export class Settings {
  private readonly folder: string;
  private readonly write: (folder: string, settings: Partial<SavedSettings>) => Promise<void>;
  private pending: Partial<SavedSettings> = {};
  private timer: NodeJS.Timeout | undefined;
  /** Told once: a home that can't be written to must not stop the deck. */
  private readonly failed: (error: Error) => void;

  constructor(
    folder: string,
    write: (folder: string, settings: Partial<SavedSettings>) => Promise<void>,
    failed: (error: Error) => void,
  ) {
    this.folder = folder;
    this.write = write;
    this.failed = failed;
  }

  read(): Partial<SavedSettings> {
    try {
      return validSettings(JSON.parse(readFileSync(join(this.folder, "config.json"), "utf8")));
    } catch {
      return {};
    }
  }

  /** Written a little later, together with what follows. */
  save(settings: Partial<SavedSettings>): void {
    Object.assign(this.pending, settings);
    this.timer ??= setTimeout(() => void this.flush(), WRITE_DELAY_MS);
  }

  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (Object.keys(this.pending).length === 0) return;
    const settings = this.pending;
    this.pending = {};
    try {
      await this.write(this.folder, settings);
    } catch (error) {
      this.failed(error as Error);
    }
  }
}
