import type { Command } from 'commander'
import type { Client } from '../../client/client.ts'
import { renewIfDue } from '../../client/connected.ts'
import { readIfThere } from '../../client/files.ts'
import { type Home, type Membership, openHome } from '../../client/home.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { type Output, outputOf } from '../output.ts'

/** One run of a participant's command: its folder, its connection, and how it speaks. */
export interface Session {
  home: Home
  client: Client
  member: Membership
  output: Output
}

export const homeOf = (command: Command): Home => openHome(String(command.optsWithGlobals()['home']))

/** A file that a command was given. */
export function textOf(file: string): string {
  const text = readIfThere(file)
  if (text === undefined) throw new StartRefused(`${file}: is missing`)
  return text
}

/** Connects as the participant of the home, renewing its certificate when its time has come, and closes in the end. */
export async function withSession<T>(command: Command, work: (session: Session) => Promise<T>): Promise<T> {
  const home = homeOf(command)
  const member = home.membership()
  await renewIfDue(home)
  const client = home.connect()
  try {
    return await work({ home, client, member, output: outputOf(command) })
  } finally {
    client.close()
  }
}
