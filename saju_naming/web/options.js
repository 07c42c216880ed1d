// What may be asked, in words: options.json is written from the library's tables, as the fields in index.html are.
let tables = {};

export async function loadOptions() {
  const reply = await fetch(new URL("options.json", import.meta.url));
  if (!reply.ok) throw new Error(`options.json: ${reply.status}`);
  tables = await reply.json();
}

export function words(name, language, choice) {  // undefined while the tables are on their way
  const option = Object.values(tables).map(table => table[name]).find(Boolean);
  return (choice === undefined ? option : option?.choices.find(({ value }) => value === choice))?.[language];
}
