/** What work costs this process, in milliseconds: what others do on the machine is not in it. */
export async function cpuMsOf(work: () => unknown): Promise<number> {
  let before = process.cpuUsage();
  await work();
  let { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
