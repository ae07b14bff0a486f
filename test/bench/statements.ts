import type pg from 'pg'

/** Settings under which the server counts statements, by an extension that comes with PostgreSQL. */
export const COUNTED = { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track_planning': 'on' }

const SHOWN = 20
const WIDTH = 100

/** From now on. */
export async function countStatements(db: pg.Client): Promise<void> {
  await db.query('create extension if not exists pg_stat_statements')
  await db.query('select pg_stat_statements_reset()')
}

/** The statements that took most of the database's time since then, as lines of text. */
export async function topStatements(db: pg.Client): Promise<string[]> {
  const { rows } = await db.query<{ calls: string; executed: number; planned: number; share: number; query: string }>(
    `select calls, total_exec_time as executed, total_plan_time as planned,
      100 * (total_exec_time + total_plan_time) / sum(total_exec_time + total_plan_time) over () as share,
      regexp_replace(query, '\\s+', ' ', 'g') as query
    from pg_stat_statements order by total_exec_time + total_plan_time desc limit ${SHOWN}`,
  )
  return rows.map(({ calls, executed, planned, share, query }) => {
    const times = [calls, executed.toFixed(0), planned.toFixed(0)].map((text) => text.padStart(8)).join('')
    return `${share.toFixed(1).padStart(5)} %${times}  ${query.slice(0, WIDTH)}`
  })
}
