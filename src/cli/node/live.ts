import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { connect } from '../../db/connect.ts'
import { atOneMoment } from '../../db/dump.ts'
import { placeOf, SOCKET_PORT } from '../../db/embedded-place.ts'
import { findLive } from '../../db/embedded-server.ts'
import { type LogStanding, logStandings } from '../../provenance/standing.ts'

/** The logs of the settings' database if it runs and can be reached; nothing is started for it. */
export async function liveLogs({ databaseUrl, dataDir }: Config): Promise<LogStanding[] | undefined> {
  const url = databaseUrl ?? (await embeddedUrl(dataDir))
  if (url === undefined) return undefined
  const db = connect({ url, max: 1 })
  try {
    return await atOneMoment(db, logStandings)
  } catch {
    // A drill is run where the live database may be out of reach; its report says so.
    return undefined
  } finally {
    await db.destroy()
  }
}

async function embeddedUrl(dataDir: string): Promise<string | undefined> {
  const live = await findLive((await placeOf(join(dataDir, 'postgres'))).pgdata)
  return live && `postgres://postgres@${encodeURIComponent(live.socketDir)}:${SOCKET_PORT}/aldis`
}
