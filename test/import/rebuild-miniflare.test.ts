import { KIB } from "../../src/units.ts";
import { startMiniflare } from "../support/s3-servers/miniflare.ts";
import { rebuildCases } from "./rebuild-cases.ts";

// It is slow with many files.
rebuildCases("miniflare", startMiniflare, 64 * KIB);
