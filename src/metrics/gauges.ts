import { readdirSync } from "node:fs";

import { Counter, Gauge, type Registry } from "prom-client";

const openFiles = "/proc/self/fd";

/** A number that is asked for whenever somebody wants to know. */
export function addGauge(registry: Registry, name: string, help: string, value: () => number): void {
  let gauge = new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(value());
    },
  });
  registry.registerMetric(gauge);
}

/**
 * What Prometheus expects of every process. The library's own set has much more that is Node's: of this runtime its
 * numbers would be made up.
 */
export function addProcessMetrics(registry: Registry): void {
  let cpu = new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time of user and system.",
    registers: [],
    collect() {
      let { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1_000_000);
    },
  });
  registry.registerMetric(cpu);
  let startSeconds = Math.round(Date.now() / 1000 - process.uptime());
  addGauge(registry, "process_start_time_seconds", "When it began, since 1970.", () => startSeconds);
  addGauge(registry, "process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  if (process.platform !== "linux") return;
  addGauge(registry, "process_open_fds", "Open file descriptors.", () => readdirSync(openFiles).length);
}
