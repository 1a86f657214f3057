import { netpbmHeader } from "./netpbm.ts";
import { textTypeOfExtension } from "./text-types.ts";
import { findRootElement } from "./xml-root.ts";

/** What an HTML file may begin with, when its name does not say that it is another kind of text. */
const HTML_START =
  /^<(?:head|body|script|iframe|style|title|meta|link|div|table|h1|p|br|a|b|font|center|form|img|!--)(?=[\s/>]|--)/i;
const HTML_DOCUMENT = /^<(?:!doctype\s+html|html)(?=[\s/>])/i;
const MAIL_START = /^(?:return-path|received|delivered-to|message-id|mime-version|x-original-to): /i;

/** Formats that are text and begin in a way that nothing else does. */
const SIGNATURES: [RegExp, string, string][] = [
  [/^%PDF-/, "application/pdf", "pdf"],
  [/^\{\\rtf/, "application/rtf", "rtf"],
  [/^%!PS-Adobe-[\d.]+ EPSF/, "application/postscript", "eps"],
  [/^%!/, "application/postscript", "ps"],
  [/^GIF8[79]a/, "image/gif", "gif"],
  [/^BEGIN:VCARD/i, "text/vcard", "vcf"],
  [/^BEGIN:VCALENDAR/i, "text/calendar", "ics"],
  [/^WEBVTT(?=\s|$)/, "text/vtt", "vtt"],
  [/^WARC\/\d\.\d+\r?\n/, "application/warc", "warc"],
  [/^filedesc:\/\//, "application/x-ia-arc", "arc"],
  [/^-----BEGIN PGP MESSAGE-----/, "application/pgp-encrypted", "pgp"],
  [/^(?:REGEDIT4|Windows Registry Editor Version 5\.00)\r?\n/, "application/x-ms-regedit", "reg"],
  [/^!<arch>\n/, "application/x-unix-archive", "a"],
  [/^SIMPLE  = {1,30}T/, "image/fits", "fits"],
  [/^\/\* XPM \*\//, "image/x-xpixmap", "xpm"],
  [/^d\d{1,3}:announce/, "application/x-bittorrent", "torrent"],
  // Variants of genes, under the extension of visiting cards.
  [/^##fileformat=VCF/, "text/plain", "vcf"],
  // A web page with its pictures, as browsers keep it.
  [/^From: <Saved by /i, "message/rfc822", "mhtml"],
  [/^solid [^\n]{0,200}\n\s*facet normal /, "model/stl", "stl"],
];

const XML_TYPES: Record<string, string> = {
  svg: "image/svg+xml",
  html: "application/xhtml+xml",
  rss: "application/rss+xml",
  feed: "application/atom+xml",
  kml: "application/vnd.google-earth.kml+xml",
  gpx: "application/gpx+xml",
};
const shebangs: [RegExp, string][] = [
  [/^#!.{0,100}\bpython/, "text/x-python"],
  [/^#!.{0,100}\b(?:ba|z|k|da)?sh\b/, "text/x-shellscript"],
  [/^#!.{0,100}\bperl/, "text/x-perl"],
  [/^#!.{0,100}\bruby/, "text/x-ruby"],
  [/^#!.{0,100}\bnode/, "text/javascript"],
  [/^<\?php\b/, "text/x-php"],
];

/**
 * The media type of a text. Content goes first where it is unmistakable (HTML, SVG and other XML, JSON), then the
 * extension decides, since a table, a program and a letter look alike.
 *
 * @param extension lower-case, "" for none
 * @returns `extension` is given only where the type alone does not tell it
 */
export function textType(
  text: string,
  isWhole: boolean,
  extension: string,
): { type: string; extension?: string } {
  let start = (text.startsWith("\ufeff") ? text.slice(1, 4096) : text.slice(0, 4096)).trimStart();
  for (let [signature, type, usual] of SIGNATURES)
    if (signature.test(start)) return { type, extension: usual };
  let portable = netpbmHeader(start);
  if (portable) return { type: portable.type, extension: portable.extension };
  let named = textTypeOfExtension(extension);
  if (start.startsWith("<") && !start.startsWith("<?php")) {
    let markup = markupType(text, start, named);
    if (markup) return { type: markup };
  }
  // A program, a table or a note may begin like JSON; its name says so.
  let nameDecides = named !== null && named !== "text/plain";
  if (!nameDecides && isJson(text, start, isWhole)) return { type: "application/json" };
  if (named !== null) return { type: named };
  for (let [signature, type] of shebangs) if (signature.test(start)) return { type };
  if (/^From [^\s@]+@\S+ /.test(start)) return { type: "application/mbox" };
  return { type: isMail(start) ? "message/rfc822" : "text/plain" };
}

/** What was sent may begin with any header; then it also says from whom it is, and when or about what. */
function isMail(start: string): boolean {
  if (MAIL_START.test(start)) return true;
  let headers = start.split(/\r?\n\r?\n/, 1)[0] ?? "";
  let isHeader = /^(?:from|to|cc|subject|date|sender|reply-to|dkim-signature|arc-seal|x-[a-z-]{1,40}): /i;
  return isHeader.test(start) && /^from: .*@/im.test(headers) && /^(?:date|subject): /im.test(headers);
}

function markupType(text: string, start: string, named: string | null): string | null {
  let isXmlName = named !== null && /\bxml$/.test(named);
  let declared = start.startsWith("<?xml");
  let root = findRootElement(text)?.name ?? "";
  if (root === "svg") return "image/svg+xml";
  if (declared)
    return XML_TYPES[root] ?? (isXmlName && named !== "image/svg+xml" ? named : "application/xml");
  if (isXmlName && named === "application/xhtml+xml") return named;
  let lead = start.replace(/^(?:<!--[\s\S]*?-->\s*)+/, "");
  if (HTML_DOCUMENT.test(lead) || root.toLowerCase() === "html") return "text/html";
  if (named !== null && named !== "text/plain") return named === "image/svg+xml" ? null : named;
  return HTML_START.test(lead) ? "text/html" : null;
}

function isJson(text: string, start: string, isWhole: boolean): boolean {
  if (!/^(?:\{\s*(?:"|\})|\[\s*(?:[[{"\]\d-]|true|false|null))/.test(start)) return false;
  // A long text's beginning has to do: objects with a key, or lists of those.
  if (!isWhole) return /^(?:\[\s*)*(?:\{\s*"(?:[^"\\]|\\.){0,200}"\s*:|["\d-])/.test(start);
  try {
    JSON.parse(text.replace(/^\ufeff/, ""));
    return true;
  } catch {
    return false;
  }
}
