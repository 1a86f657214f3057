export interface HeaderParameter {
  /** Lower-case, with its `*` if it has one. */
  name: string;
  /** As it was sent, without the quotes around it. */
  value: string;
  quoted: boolean;
}

export interface ParameterisedHeader {
  /** What stands before the first `;`, lower-case. */
  value: string;
  parameters: HeaderParameter[];
}

/** More than any real header has; each one may cost a look at the whole header. */
const maxParameters = 32;

const parameterStart = /\s*([^\s=;"]+)\s*=\s*/y;
const unquotedValue = /[^;]*/y;
/** A quoted string whose quotes and backslashes are escaped, up to a quote that really ends the parameter. */
const escapedString = /"((?:[^"\\]|\\[^])*)"(?=\s*(?:;|$))/y;
/** A quoted string of a sender that escapes nothing: up to the first quote that can end the parameter. */
const literalString = /"([^]*?)"(?=\s*(?:;|$))/y;

/**
 * Splits `value; name=value; name="value"`. Lenient where real clients are sloppy (spaces, quotes inside quotes, a
 * backslash before the closing quote), because the alternative is losing somebody's file. Escapes are left in.
 */
export function parseHeaderParameters(header: string): ParameterisedHeader {
  let semicolon = header.indexOf(";");
  if (semicolon < 0) return { value: header.trim().toLowerCase(), parameters: [] };

  let parameters: HeaderParameter[] = [];
  let position = semicolon + 1;
  while (position < header.length && parameters.length < maxParameters) {
    let start = matchAt(parameterStart, header, position);
    if (start) {
      position += start[0].length;
      let string = matchAt(escapedString, header, position) ?? matchAt(literalString, header, position);
      let plain = string ?? matchAt(unquotedValue, header, position);
      let value = string ? string[1] : plain?.[0].trim();
      parameters.push({ name: start[1]!.toLowerCase(), value: value ?? "", quoted: string !== null });
      position += plain?.[0].length ?? 0;
    }
    let next = header.indexOf(";", position);
    position = next < 0 ? header.length : next + 1;
  }
  return { value: header.slice(0, semicolon).trim().toLowerCase(), parameters };
}

function matchAt(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}
