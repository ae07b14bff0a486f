import { sql } from 'kysely'
import { expect, vi } from 'vitest'
import type { Db } from '../../src/db/connect.ts'

/** What each loop of a node has still to do, in the log that grows; its two projectors and the explorer have begun. */
const MOVING = sql<{ what: string; n: bigint }>`
  with head as (select log_id, size from log_head order by log_id desc limit 1)
  select 'outbox' as what, count(*) as n from prov_outbox
  union all select 'reads', count(*) from read_pending
  union all select 'fence', h.size - coalesce(f.size, 0) from head h left join log_fence f using (log_id)
  union all select 'signature', h.size - coalesce(s.size, 0) from head h left join log_signed s using (log_id)
  union all select 'publication', h.size - coalesce(p.size, 0) from head h left join log_published p using (log_id)
  union all select 'feeds', h.size - coalesce(p.next_idx, 0)
    from head h left join projector p on p.log_id = h.log_id and p.name = 'feeds'
  union all select 'cases', h.size - coalesce(p.next_idx, 0)
    from head h left join projector p on p.log_id = h.log_id and p.name <> 'feeds'
  union all select 'explorer', h.size - coalesce((select max(idx) + 1 from log_entry e where e.log_id = h.log_id), 0)
    from head h`

/**
 * Until everything that was committed has its place in the log, is signed and given out, and has come to each row that is made
 * of it: what is looked for right afterwards is there, however busy the machine.
 */
export const settled = ({ owner }: { owner: Db }): Promise<void> =>
  vi.waitFor(
    async () => {
      const { rows } = await MOVING.execute(owner)
      expect(rows.filter(({ n }) => n !== 0n)).toEqual([])
    },
    { timeout: 60_000, interval: 50 },
  )
