/** @jsxImportSource hono/jsx */
import type { ListView } from "../props.ts";

const kinds = ["image", "video", "audio", "document", "archive", "text", "other"];

/**
 * Search and filters. Sends itself by htmx while one types, and by its button without; fields that change by a choice
 * are marked, because a text field also "changes" when one leaves it.
 */
export function FilterForm({ list, action }: { list: ListView; action: string }) {
  let { fields } = list;
  let { search, kind, ...more } = fields;
  let isOpen = Object.values(more).some((value) => value !== "");
  return (
    <search>
      <form
        id="filters"
        class="filters"
        method="get"
        action={action}
        autocomplete="off"
        hx-get={action}
        hx-trigger="input from:#search delay:250ms, change target:.choice, submit"
        hx-target="#files"
        hx-swap="outerHTML"
        hx-replace-url="true"
        hx-sync="this:replace"
      >
        <div class="grow">
          <label for="search">Name contains</label>
          <input id="search" type="search" name="_search" value={search} maxlength={500} />
        </div>
        <div>
          <label for="kind">Kind</label>
          <select id="kind" class="choice" name="kind">
            <option value="">any</option>
            {kinds.map((one) => (
              <option value={one} selected={one === kind}>
                {one}
              </option>
            ))}
          </select>
        </div>
        <button type="submit">Search</button>
        <details open={isOpen}>
          <summary>More filters</summary>
          <div class="more">
            <Range legend="Received">
              <Field id="from" name="from" type="date" value={fields.from} label="from" />
              <Field id="to" name="to" type="date" value={fields.to} label="to" />
            </Range>
            <Range legend="Size">
              <Field
                id="min-size"
                name="min_size"
                value={fields.minSize}
                label="at least"
                placeholder="500 KB"
              />
              <Field
                id="max-size"
                name="max_size"
                value={fields.maxSize}
                label="at most"
                placeholder="1.5 GB"
              />
            </Range>
            <Range legend="Content">
              <Field
                id="content-type"
                name="content_type"
                value={fields.contentType}
                label="type"
                placeholder="image/png or image/*"
              />
            </Range>
          </div>
        </details>
      </form>
    </search>
  );
}

function Range({ legend, children }: { legend: string; children: unknown }) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {children}
    </fieldset>
  );
}

interface FieldProps {
  id: string;
  name: string;
  label: string;
  value: string;
  type?: string;
  placeholder?: string;
}

function Field({ id, label, type = "text", ...rest }: FieldProps) {
  return (
    <span class="field">
      <label for={id}>{label}</label>
      <input id={id} class="choice" type={type} maxlength={type === "date" ? undefined : 100} {...rest} />
    </span>
  );
}
