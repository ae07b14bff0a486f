import { type Kysely, sql } from 'kysely'

/** Runs schema statements one to a query, as some distributed databases demand. */
export async function run(db: Kysely<unknown>, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

/** The participant of the open transaction, or NULL. A sub-select, so that it is evaluated once a statement. */
export const ME = `(select nullif(current_setting('app.participant', true), '')::uuid)`

/** Row-level security on and forced, so that not even the owner passes. */
export const secured = (table: string): string[] => [
  `alter table ${table} enable row level security`,
  `alter table ${table} force row level security`,
]

/** A policy for one role; `using` cuts what is seen, `check` what is written. */
export function policy(table: string, role: string, rule: { for: string; using?: string; check?: string }): string {
  const using = rule.using === undefined ? '' : ` using (${rule.using})`
  const check = rule.check === undefined ? '' : ` with check (${rule.check})`
  return `create policy ${role}_${rule.for} on ${table} for ${rule.for} to ${role}${using}${check}`
}

/** The table of one organisation's own rows: the application sees and writes those of the open transaction's participant. */
export const ownRows = (table: string, grants: string): string[] => [
  ...secured(table),
  `grant ${grants} on ${table} to aldis_app`,
  policy(table, 'aldis_app', { for: 'all', using: `participant_id = ${ME}`, check: `participant_id = ${ME}` }),
]

/** Lets a loop read every organisation's rows. */
export const readAll = (table: string, role: string): string[] => [
  `grant select on ${table} to ${role}`,
  policy(table, role, { for: 'select', using: 'true' }),
]
