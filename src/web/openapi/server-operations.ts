import { AUDIT_FIELDS } from "../audit-routes.ts";
import { bytesAnswer, jsonAnswer, type Operations, queryParameters } from "./operation.ts";

/** About the server itself. */
export const SERVER_OPERATIONS: Operations = {
  "GET /healthz": {
    id: "isAlive",
    summary: "Whether the process answers",
    answers: { 200: jsonAnswer("It does.", "Status") },
  },
  "GET /readyz": {
    id: "isReady",
    summary: "Whether storage can be reached, too",
    answers: { 200: jsonAnswer("It can.", "Status") },
    codes: ["storage_error", "storage_unavailable"],
  },
  "GET /metrics": {
    id: "getMetrics",
    summary: "How things stand, for Prometheus",
    answers: { 200: bytesAnswer("Metrics as text.", "text/plain") },
  },
  "GET /audit.json": {
    id: "listAuditLog",
    summary: "Who did what",
    parameters: queryParameters(AUDIT_FIELDS),
    answers: { 200: jsonAnswer("The newest entries first.", "AuditLog") },
    codes: ["invalid_parameter"],
  },
  "GET /openapi.json": {
    id: "getDescription",
    summary: "This description",
    answers: { 200: { description: "OpenAPI 3.1.", content: { "application/json": {} } } },
  },
};
