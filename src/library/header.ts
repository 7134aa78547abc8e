/**
 * The comment header of a bundled script:
 *
 *     #!/usr/bin/env -S tracedeck run
 *     // title: Files opened
 *     // subject: Files
 *     // question: Which files are opened, by whom, and which are not found?
 *     // option pid=0: only this process (0: all)
 *     // reading: @opened counts …
 *     //   further lines of a text are indented
 *
 * An option without a default ("option pid=: …") has to be given.
 */

export interface Header {
  title: string;
  subject: string;
  question: string;
  options: { name: string; default: string; description: string }[];
  reading: string;
}

const FIELD = /^\/\/ (title|subject|question|reading|option(?: [\w-]+=[^:]*)?):\s*(.*)$/;
const MORE = /^\/\/ {2,}(\S.*)$/;

export function parseHeader(source: string): Header {
  const header: Header = { title: "", subject: "", question: "", options: [], reading: "" };
  const fields: { name: string; text: string }[] = [];
  for (const line of source.split(/\r?\n/)) {
    if (line.startsWith("#!")) continue;
    const field = FIELD.exec(line);
    const more = MORE.exec(line);
    if (field) fields.push({ name: field[1], text: field[2].trim() });
    else if (more && fields.length > 0) fields[fields.length - 1].text += ` ${more[1].trim()}`;
    else break;
  }
  for (const { name, text } of fields) {
    const option = /^option ([\w-]+)=(.*)$/.exec(name);
    if (option) header.options.push({ name: option[1], default: option[2].trim(), description: text });
    else if (name === "title" || name === "subject" || name === "question" || name === "reading") {
      header[name] = text;
    }
  }
  return header;
}
