/** The commands' own options, as the parser gives them: `true` for one without a value. */
export type CommandOptions = Record<string, string | true>;

/** The value of an option, or undefined when it was not given. */
export function valueOf(options: CommandOptions, name: string): string | undefined {
  let value = options[name];
  return value === true ? undefined : value;
}
