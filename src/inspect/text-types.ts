/** Extension of a text file -> its media type and that type's usual extension. */
const TABLE = `
text/plain                     txt text log conf cfg ini properties env nfo asc lst me
text/csv                       csv
text/tab-separated-values      tsv tab
text/markdown                  md markdown mdown mkd mkdn mdx
text/html                      html htm shtml
application/xhtml+xml          xhtml xht
application/xml                xml xsl xsd dtd wsdl plist resx xaml config
application/xslt+xml           xslt
application/rss+xml            rss
application/atom+xml           atom
application/gpx+xml            gpx
application/gml+xml            gml
application/vnd.google-earth.kml+xml  kml
application/rdf+xml            rdf owl
text/turtle                    ttl
text/n3                        n3
application/n-triples          nt
application/n-quads            nq
application/ttml+xml           ttml dfxp
application/vnd.recordare.musicxml+xml  musicxml
image/svg+xml                  svg
text/css                       css
text/javascript                js mjs cjs
text/x-typescript              ts mts cts tsx
text/jsx                       jsx
application/json               json map json5 jsonc har topojson
application/geo+json           geojson
application/ld+json            jsonld
application/manifest+json      webmanifest
application/x-ipynb+json       ipynb
application/x-ndjson           ndjson jsonl
application/yaml               yaml yml
application/toml               toml
application/sql                sql
text/x-python                  py pyw pyi
text/x-ruby                    rb
text/x-perl                    pl pm
text/x-php                     php phtml php3 php4 php5
text/x-shellscript             sh bash zsh ksh
text/x-msdos-batch             bat cmd
text/x-powershell              ps1 psm1
text/x-lua                     lua
text/x-r                       r
text/x-c                       c h
text/x-c++                     cpp cc cxx hpp hh hxx
text/x-csharp                  cs
text/x-java                    java
text/x-go                      go
text/rust                      rs
text/x-swift                   swift
text/x-kotlin                  kt kts
text/x-scala                   scala
text/x-tex                     tex sty cls latex
text/x-bibtex                  bib
text/x-rst                     rst
text/x-scss                    scss sass less
text/x-vue                     vue
text/x-svelte                  svelte
text/x-diff                    diff patch
text/vcard                     vcf vcard
text/calendar                  ics ical ifb
text/vtt                       vtt
application/x-subrip           srt
message/rfc822                 eml mht mhtml
application/mbox               mbox
application/rtf                rtf
application/postscript         ps
application/pgp-encrypted      pgp gpg
application/x-ms-regedit       reg
model/gltf+json                gltf
`;

const BY_EXTENSION = new Map<string, string>();
const USUAL_EXTENSION = new Map<string, string>();
for (let line of TABLE.trim().split("\n")) {
  let [type = "", ...extensions] = line.trim().split(/\s+/);
  for (let extension of extensions) BY_EXTENSION.set(extension, type);
  if (!USUAL_EXTENSION.has(type) && extensions[0]) USUAL_EXTENSION.set(type, extensions[0]);
}

/** The media type that an extension gives to a file known to be text, or null. */
export function textTypeOfExtension(extension: string): string | null {
  return BY_EXTENSION.get(extension) ?? null;
}

export function usualTextExtension(type: string): string {
  return USUAL_EXTENSION.get(type) ?? "txt";
}
