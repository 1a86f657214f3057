/**
 * Bun gives a request without a usable Host header, such as a load balancer's plain check over HTTP/1.0, its path alone
 * as URL, which nothing can route. Gives such a request a whole URL, without its body, and any other back as it is.
 */
export function withAbsoluteUrl(request: Request): Request {
  let { url, method } = request;
  if (URL.canParse(url)) return request;
  let headers = new Headers(request.headers);
  // The made-up host must not be believed: only what is open under every host name answers.
  headers.set("Host", "");
  return new Request(`http://localhost${url.startsWith("/") ? url : "/"}`, { method, headers });
}
