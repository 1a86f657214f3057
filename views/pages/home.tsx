/** @jsxImportSource hono/jsx */
import { Allowance, isUsedUp } from "../fragments/allowance.tsx";
import { NewestFiles } from "../fragments/newest-files.tsx";
import { UnfinishedUploads, UploadForm, Uploads } from "../fragments/upload-form.tsx";
import { Layout } from "../layout.tsx";
import type { AllowanceView, FileView, Site, UploadRules } from "../props.ts";

export interface HomePageProps {
  site: Site;
  /** Newest first; empty for one who may not see files. */
  files: FileView[];
  rules: UploadRules;
  /** For one whose files are counted. */
  allowance: AllowanceView | null;
}

export function HomePage({ site, files, rules, allowance }: HomePageProps) {
  let { links, may, assets } = site;
  let isOver = isUsedUp(allowance);
  return (
    <Layout site={site} title="Upload" here="upload" modules={isOver ? [] : assets.uploadModules}>
      {!allowance?.invitation && <h1 class="unseen">Upload files</h1>}
      {allowance && <Allowance allowance={allowance} homeHref={links.home} />}
      {!isOver && <UploadForm site={site} rules={rules} />}
      {!isOver && <UnfinishedUploads />}
      {!isOver && <Uploads />}
      {may.view && <NewestFiles files={files} homeHref={links.home} filesHref={links.files} />}
    </Layout>
  );
}
