import { CompiledQuery, type KyselyPlugin } from 'kysely'
import type { Tx } from '../../src/db/as-participant.ts'
import type { Db } from '../../src/db/connect.ts'

/** A database or a transaction, and how each statement that was sent through it is carried out, as text. */
export function planned<D extends Db | Tx>(db: D): { db: D; plans(): Promise<string[]> } {
  const sent: CompiledQuery[] = []
  const listener: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      sent.push(db.getExecutor().compileQuery(node, queryId))
      return node
    },
    transformResult: async ({ result }) => result,
  }
  return {
    db: db.withPlugin(listener) as D,
    async plans() {
      const plans: string[] = []
      for (const { sql, parameters } of sent) {
        const { rows } = await db.executeQuery(CompiledQuery.raw(`explain ${sql}`, [...parameters]))
        plans.push(rows.map((row) => Object.values(row as object).join('')).join('\n'))
      }
      return plans
    },
  }
}
