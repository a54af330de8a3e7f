// Renders src/generated from the IDL that `cargo xtask build` leaves in target/idl.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { numberTypeNode } from '@codama/nodes';
import { rootNodeFromAnchor } from '@codama/nodes-from-anchor';
import { renderVisitor } from '@codama/renderers-js';
import { bottomUpTransformerVisitor, visit } from '@codama/visitors-core';

const PACKAGE = dirname(dirname(fileURLToPath(import.meta.url)));
const GENERATED = join(PACKAGE, 'src/generated');
const IDL = join(PACKAGE, '../../target/idl/ballast.json');

/** Zero-copy accounts keep a `u128` as two limbs, low limb first: the bytes of a little-endian `u128`. */
const wideAsU128 = (idl) => {
  const wide = idl.types.find((type) => type.name === 'Wide');
  const expected = { kind: 'struct', fields: [{ name: 'limbs', type: { array: ['u64', 2] } }] };
  const found = wide && {
    kind: wide.type.kind,
    fields: wide.type.fields.map(({ name, type }) => ({ name, type })),
  };
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new Error(`the type Wide of the IDL is not two u64 limbs but ${JSON.stringify(found)}`);
  }
  return bottomUpTransformerVisitor([
    { select: '[definedTypeLinkNode]wide', transform: () => numberTypeNode('u128') },
    { select: '[definedTypeNode]wide', transform: () => null },
  ]);
};

/**
 * The accounts of an instruction without their groups. Left to itself Codama would put the groups' names before all of an
 * instruction's accounts as soon as two have the same name; here only the later of the two gets it, so that an account has
 * the same name in all instructions.
 */
const flatten = (accounts) => {
  const taken = new Set();
  const walk = (items, prefix) =>
    items.flatMap((item) => {
      if ('accounts' in item) {
        return walk(item.accounts, `${prefix}${item.name}_`);
      }
      const name = taken.has(item.name) ? prefix + item.name : item.name;
      taken.add(name);
      return [{ ...item, name }];
    });
  return walk(accounts, '');
};

/** Codama names a program's errors by constants, without messages in production; people are shown names and messages. */
const errorTable = (idl) => {
  const line = ({ code, name, msg }) => `  ${code}: ${JSON.stringify({ name, message: msg })},\n`;
  return (
    '/** The program\'s own errors by number. Made from the IDL; do not edit. */\n' +
    `export const BALLAST_ERRORS = {\n${idl.errors.map(line).join('')}} as const;\n`
  );
};

/** Node and browsers want file names where Codama leaves them out. */
const addExtensions = (directory) => {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      addExtensions(path);
      continue;
    }
    const resolve = (specifier) =>
      existsSync(join(directory, `${specifier}.ts`)) ? `${specifier}.js` : `${specifier}/index.js`;
    const code = readFileSync(path, 'utf8');
    const pattern = /(\bfrom\s+)(["'])(\.{1,2}\/?[^"']*)\2/g;
    writeFileSync(path, code.replace(pattern, (_, from, quote, specifier) => from + quote + resolve(specifier) + quote));
  }
};

if (!existsSync(IDL)) {
  throw new Error(`${IDL} is missing: run \`cargo xtask build\` first`);
}
const idl = JSON.parse(readFileSync(IDL, 'utf8'));
for (const instruction of idl.instructions) {
  instruction.accounts = flatten(instruction.accounts);
}
rmSync(GENERATED, { recursive: true, force: true });
const root = visit(rootNodeFromAnchor(idl), wideAsU128(idl));
await visit(root, renderVisitor(PACKAGE, { syncPackageJson: false }));
addExtensions(GENERATED);
writeFileSync(join(GENERATED, 'errorTable.ts'), errorTable(idl));
