import { expect, test } from "bun:test";

import { FileFacts } from "../../views/fragments/file-facts.tsx";
import { Layout } from "../../views/layout.tsx";
import type { FileRecord, Site } from "../../views/props.ts";

const record: FileRecord = {
  id: 7,
  uid: "01a20a2c-2c68-7134-934e-c3ae69a1757d",
  filename: "a.txt",
  storage: "local",
  bucket: "local",
  s3_key: "uploads/a.txt",
  content_type: "text/plain",
  kind: "text",
  size_bytes: 5,
  checksum_sha256: "0".repeat(64),
  width: null,
  height: null,
  taken_at: null,
  latitude: null,
  longitude: null,
  metadata: {},
  created_at: "2026-11-23T20:30:00.000Z",
  created_date: "2026-11-23",
};

const facts = (changes: Partial<FileRecord>) => String(FileFacts({ record: { ...record, ...changes } }));

test("what is not known is not mentioned", () => {
  let html = facts({});
  for (let label of [
    "Dimensions",
    "Duration",
    "Taken",
    "Camera",
    "Position",
    "All metadata",
    "The sender said",
    "match",
  ]) {
    expect(html).not.toContain(label);
  }
});

test("a position at 0, 0 is one", () => {
  expect(facts({ latitude: 0, longitude: 0 })).toContain("0.00000, 0.00000");
});

test("the stored size is told when it is another than the displayed one", () => {
  let metadata = { stored_width: 40, stored_height: 30 };
  expect(facts({ width: 30, height: 40, metadata })).toContain("stored as 40 × 30");
  expect(facts({ width: 40, height: 30, metadata })).not.toContain("stored as");
});

test("a duration is told as clocks show it, and only there", () => {
  let html = facts({ metadata: { duration_s: 200.046 } });
  expect(html).toContain('<span title="200.046 seconds">3:20</span>');
  expect(html).not.toContain("All metadata");
});

test("hostile metadata is text, in names and values", () => {
  let html = facts({
    taken_at: "<b>",
    metadata: { make: "<script>", "<i>": { "<u>": ["<s>"] }, declared_type: "<em>" },
  });
  expect(html).not.toMatch(/<(b|script|i|u|s|em)>/);
  expect(html).toContain("&lt;i&gt;.&lt;u&gt;");
});

const links = {
  home: "/h",
  tus: "/base/tus",
  upload: "/u",
  files: "/f",
  filesCsv: "/c",
  deleteMany: "/d",
  restore: "/r",
  audit: "/au",
  signIn: "/i",
  signOut: "/o",
  account: "/a",
  admin: { tokens: "/t", users: "/us", invitations: "/i" },
};
const site: Site = {
  links,
  assets: {
    stylesheet: "/app.css",
    htmx: "/htmx.js",
    filesScript: "/files.js",
    fileScript: "/file.js",
    favicon: "/icon.svg",
    uploadModules: [],
  },
  may: { upload: true, view: true, delete: true, admin: true },
  isSignedIn: false,
  isInvited: false,
  offersSignIn: false,
};

test("the frame has landmarks, a skip link and a language, and offers only what one may do", () => {
  let html = String(Layout({ site, title: "<T>", here: "files" }));
  expect(html).toStartWith('<!doctype html><html lang="en">');
  expect(html).toContain("<title>&lt;T&gt; · s3-uploads</title>");
  expect(html).toContain('<a class="skip" href="#main">');
  expect(html).toContain('<main id="main"');
  expect(html).toContain('<a href="/f" aria-current="page">Files</a>');
  expect(html).not.toContain("Sign out");

  let nobody = { upload: false, view: false, delete: false, admin: false };
  let bare = String(Layout({ site: { ...site, may: nobody, isSignedIn: true }, title: "T" }));
  expect(bare).not.toContain('href="/f"');
  expect(bare).not.toContain('href="/au"');
  expect(bare).toContain('<form method="post" action="/o">');
});
