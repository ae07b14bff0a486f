import { sql } from 'kysely'
import { connect } from '../../src/db/connect.ts'
import { startEmbedded } from '../../src/db/embedded.ts'

// A supervisor of its own: says what it is, then lives until it is killed, or until SIGINT, which it answers by showing
// that the database still serves before it stops it.
const say = (fields: object): boolean => process.stdout.write(`${JSON.stringify(fields)}\n`)

const server = await startEmbedded({ dataDir: process.argv[2] ?? '' })
const alive = setInterval(() => {}, 1_000)
process.once('SIGINT', async () => {
  const db = connect({ url: server.url('postgres', 'postgres'), max: 1 })
  await sql`select pg_sleep(0.3)`.execute(db)
  await db.destroy()
  say({ served: true })
  await server.stop()
  clearInterval(alive)
})
say({ adopted: server.adopted, supervised: server.supervised, dir: server.dir })
