import { skipUnlessCi } from "../support/needs.ts";
import { startVersitygw, versitygwMissing } from "../support/s3-servers/versitygw.ts";
import { s3Contract } from "./s3-contract.ts";

if (!skipUnlessCi(versitygwMissing())) s3Contract("versitygw", startVersitygw, 1_100);
