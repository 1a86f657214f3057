import type { ListPlan, Range } from "./list-plan.ts";

export type Parameter = string | number;

/** A piece of SQL with its parameters in order. */
export interface Sql {
  text: string;
  parameters: Parameter[];
}

/** One condition of a list, in the two ways in which it can be used. */
export interface Filter {
  /** Finds the rows by themselves, as something to read from: its FROM, its id, its WHERE. */
  source: { from: string; id: string; where: Sql };
  /** True when the source gives ids in order. */
  ordered: boolean;
  /** Tests a row `f` that has been read; null when the row can't tell. */
  test: Sql | null;
  /** A range of the index of this column: a walk along that index can begin and end with it. */
  bounds?: { column: string; condition: Sql };
}

/**
 * The conditions of a plan. A unary plus keeps SQLite from choosing an index by itself: which one is read is decided in
 * list-query.ts, since without ANALYZE it would guess.
 */
export function filtersOf(table: string, plan: ListPlan): Filter[] {
  let filters: Filter[] = [];
  let fts = `"${table}_fts"`;
  let match = plan.search?.match ?? null;
  if (match !== null) {
    let where = { text: `${fts} MATCH ?`, parameters: [match] };
    filters.push({ source: { from: fts, id: `${fts}.rowid`, where }, ordered: true, test: null });
  }
  if (plan.kind !== null) {
    filters.push(columnFilter(table, "kind", "= ?", [plan.kind]));
  }
  if (plan.contentType?.endsWith("/*")) {
    let prefix = plan.contentType.slice(0, -1);
    // "0" follows "/": the range is every type that begins with the prefix.
    let range = [prefix, `${prefix.slice(0, -1)}0`];
    filters.push({ ...columnFilter(table, "content_type", "BETWEEN ? AND ?", range), ordered: false });
  } else if (plan.contentType !== null) {
    filters.push(columnFilter(table, "content_type", "= ?", [plan.contentType]));
  }
  filters.push(...rangeFilter(table, "created_at", plan.created));
  filters.push(...rangeFilter(table, "size_bytes", plan.sizeBytes));
  filters.push(...rangeFilter(table, "s3_key", plan.keys));
  if (plan.search && plan.search.short.length > 0) {
    filters.push(shortWordsFilter(table, plan.search.short));
  }
  return filters;
}

/** Tests an id against the whole of a filter, which reads its index and no rows. */
export function isAmong(id: string, { source }: Filter): Sql {
  return {
    text: `+${id} IN (SELECT ${source.id} FROM ${source.from} WHERE ${source.where.text})`,
    parameters: source.where.parameters,
  };
}

function columnFilter(table: string, column: string, condition: string, parameters: Parameter[]): Filter {
  return {
    source: {
      from: `"${table}" AS c INDEXED BY "${table}_${column}"`,
      id: "c.id",
      where: { text: `c.${column} ${condition}`, parameters },
    },
    ordered: true,
    test: { text: `+f.${column} ${condition}`, parameters },
  };
}

/** None for a range without bounds. */
function rangeFilter(table: string, column: string, { least, most }: Range<Parameter>): Filter[] {
  let bounds = [
    { sign: ">=", value: least },
    { sign: "<=", value: most },
  ].filter(({ value }) => value !== null);
  if (bounds.length === 0) return [];
  let parameters = bounds.map(({ value }) => value as Parameter);
  let condition = (name: string): Sql => ({
    text: bounds.map(({ sign }) => `${name} ${sign} ?`).join(" AND "),
    parameters,
  });
  return [
    {
      source: {
        from: `"${table}" AS c INDEXED BY "${table}_${column}"`,
        id: "c.id",
        where: condition(`c.${column}`),
      },
      ordered: false,
      test: condition(`+f.${column}`),
      bounds: { column, condition: condition(`f.${column}`) },
    },
  ];
}

/** Words that the trigram index can't find: every name is looked at, in an index that holds only ids and names. */
function shortWordsFilter(table: string, words: string[][]): Filter {
  let like = (alias: string): Sql => ({
    text: words
      .map((patterns) => `(${patterns.map(() => `${alias}.filename LIKE ? ESCAPE '\\'`).join(" OR ")})`)
      .join(" AND "),
    parameters: words.flat(),
  });
  return {
    source: { from: `"${table}" AS c INDEXED BY "${table}_names"`, id: "c.id", where: like("c") },
    ordered: true,
    test: like("f"),
  };
}
