/** Compiles dist/s3-uploads for this machine, or for the target named as first argument (such as bun-linux-arm64). */
import manifest from "../package.json" with { type: "json" };

const entryPoints = ["src/main.ts", "src/record/query-worker.ts", "src/record/checkpoint-worker.ts"];

let [target] = process.argv.slice(2);
let command = [
  process.execPath,
  "build",
  "--compile",
  "--minify",
  "--sourcemap",
  "--bytecode",
  "--format=esm",
  // The binary must not run or read what lies in the folder it is started in.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--define",
  `S3_UPLOADS_VERSION=${JSON.stringify(manifest.version)}`,
  // The worker is found beside main, wherever both lie in the sources.
  "--entry-naming=[name].[ext]",
  "--outfile",
  "dist/s3-uploads",
  ...(target ? [`--target=${target}`] : []),
  ...entryPoints,
];
let { exitCode } = Bun.spawnSync(command, { stdout: "inherit", stderr: "inherit" });
process.exit(exitCode);
