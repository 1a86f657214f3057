/** @jsxImportSource hono/jsx */
import { NewestFiles } from "../fragments/newest-files.tsx";
import { UnfinishedUploads, UploadForm, Uploads } from "../fragments/upload-form.tsx";
import { Layout } from "../layout.tsx";
import type { FileView, Site, UploadRules } from "../props.ts";

export interface HomePageProps {
  site: Site;
  /** Newest first; empty for one who may not see files. */
  files: FileView[];
  rules: UploadRules;
}

export function HomePage({ site, files, rules }: HomePageProps) {
  let { links, may, assets } = site;
  return (
    <Layout site={site} title="Upload" here="upload" modules={assets.uploadModules}>
      <h1 class="unseen">Upload files</h1>
      <UploadForm site={site} rules={rules} />
      <UnfinishedUploads />
      <Uploads />
      {may.view && <NewestFiles files={files} homeHref={links.home} filesHref={links.files} />}
    </Layout>
  );
}
