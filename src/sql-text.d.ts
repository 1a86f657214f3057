/** A migration, imported with `{ type: "text" }` so that it is inside the binary. */
declare module "*.sql" {
  const text: string;
  export default text;
}
