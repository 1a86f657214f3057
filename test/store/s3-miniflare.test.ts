import { startMiniflare } from "../support/s3-servers/miniflare.ts";
import { s3Contract } from "./s3-contract.ts";

s3Contract("miniflare", startMiniflare, 200);
