import { createMiddleware } from "hono/factory";

import type { WebEnv } from "./env.ts";

const yearSeconds = 365 * 24 * 60 * 60;
/**
 * Nothing of this does a page of ours use, nor may one that it shows in a frame. Only what every Chromium knows: one
 * without Bluetooth calls that an error on each page.
 */
const unusedFeatures = [
  "accelerometer",
  "camera",
  "display-capture",
  "geolocation",
  "gyroscope",
  "hid",
  "magnetometer",
  "microphone",
  "midi",
  "payment",
  "publickey-credentials-get",
  "screen-wake-lock",
  "serial",
  "usb",
  "xr-spatial-tracking",
];

export interface SecurityHeadersOptions {
  /** Where presigned URLs lead: pictures on our pages follow the redirect, and the policy is asked again there. */
  storageOrigins: readonly string[];
  publicUrl: string | null;
}

/**
 * Headers on every answer; a handler's own value stands (downloads bring a stricter policy). No page has anything inline,
 * so the policy needs no nonces.
 */
export function securityHeaders({ storageOrigins, publicUrl }: SecurityHeadersOptions) {
  let media = ["'self'", ...storageOrigins].join(" ");
  let headers = {
    "Content-Security-Policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      `img-src ${media}`,
      `media-src ${media}`,
      "connect-src 'self'",
      "frame-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    // The address of a file's page is nobody else's business, least of all the map's that it links to.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": unusedFeatures.map((feature) => `${feature}=()`).join(", "),
    // Names and pages depend on who asks; assets and downloads say otherwise themselves.
    "Cache-Control": "no-store",
  };
  let isPublishedSecurely = publicUrl?.startsWith("https:") ?? false;

  return createMiddleware<WebEnv>(async (context, next) => {
    await next();
    for (let [name, value] of Object.entries(headers)) {
      if (!context.res.headers.has(name)) context.res.headers.set(name, value);
    }
    // A proxy of which nobody knows yet, on a request that was refused before that, changes nothing.
    let { client } = context.var as Partial<WebEnv["Variables"]>;
    // Of this name alone: its neighbours may not speak https. Browsers heed it over https only.
    if (isPublishedSecurely || client?.secure) {
      context.res.headers.set("Strict-Transport-Security", `max-age=${yearSeconds}`);
    }
  });
}
