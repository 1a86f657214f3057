import { startMiniflare } from "../support/s3-servers/miniflare.ts";
import { rebuildCases } from "./rebuild-cases.ts";

rebuildCases("miniflare", startMiniflare);
