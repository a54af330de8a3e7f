/**
 * Client of the Ballast program: what Codama generates from its IDL (accounts, instructions, types), and what an IDL cannot
 * say: addresses that hang together, who refused a transaction and why, return data.
 */
export * from './generated/index.js';
export * from './generated/errorTable.js';
export * from './accounts.js';
export * from './addresses.js';
export * from './health.js';
export * from './refusal.js';
