import { join } from 'node:path'
import { connect } from '../../src/db/connect.ts'
import type { LoginRole } from '../../src/db/roles.ts'
import { fileKeys } from '../../src/keys/file.ts'
import { createAuthority } from '../../src/participants/authority.ts'
import { loadProgramme } from '../../src/participants/bootstrap.ts'
import { recorderOver, serviceOver } from '../participants/service-over.ts'

// A process that carries out what is due, until it is killed by itself in the gap before its n-th statement, counted from the
// first one that writes. Where it comes to its end, it tells how many there were.
const [url = '', folder = '', now = '', gap] = process.argv.slice(2)
const last = gap === undefined ? Number.POSITIVE_INFINITY : Number(gap)
let statements = 0
let writing = false
const statementLog = (sql: string): void => {
  writing ||= /^update "authority_epoch"/.test(sql)
  if (!writing) return
  if (statements === last) process.kill(process.pid, 'SIGKILL')
  statements += 1
}
const pool = (role: LoginRole) => connect({ url, role, max: 1, statementLog })
const [admin, app, ledger] = [pool('aldis_admin'), pool('aldis_app'), pool('aldis_ledger')]
const clock = () => new Date(now)
const recorder = recorderOver({ app, ledger, clock, keys: fileKeys(join(folder, 'keys')) })
const programme = await loadProgramme(app)
if (programme === undefined) throw new Error('no programme')
const authority = createAuthority({ db: app, clock })
await authority.refresh()
const over = { admin, app, clock, recorder, programme, authority }
const service = serviceOver({ ...over, hashKeys: [], conformance: { passed: true } })
await service.executeDue(() => {})
process.stdout.write(String(statements))
await authority.stop()
await Promise.all([admin, app, ledger].map((db) => db.destroy()))
