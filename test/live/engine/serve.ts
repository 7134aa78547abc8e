/** `tracedeck engine`, and nothing of the other commands. */
import { serve } from "../../../src/engine/server.ts";

process.exit(await serve());
