-- What the views and Datasette's facets and maps sum up, so that they read no rows. See src/datasette/.
DROP INDEX "{{table}}_created_date";
CREATE INDEX "{{table}}_created_date" ON "{{table}}" (created_date, size_bytes);
CREATE INDEX "{{table}}_type_sizes" ON "{{table}}" (content_type, kind, size_bytes);
CREATE INDEX "{{table}}_positions" ON "{{table}}" (id) WHERE latitude IS NOT NULL;
