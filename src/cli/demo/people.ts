import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { readIfThere } from '../../client/files.ts'
import { PROGRAMME } from './programme.ts'
import type { Platform, Scene } from './scene.ts'

/** Who runs the programme, by id. */
export interface People {
  admins: readonly [string, string]
  governance: string
}

/** What is in place for longer than this is not made anew. */
const LEFT_MS = 3_600_000

/** Makes the programme, or finds the one of an earlier run. */
export async function makeProgramme({ stage, admin }: Scene): Promise<People> {
  const { slug, trust_domain, node_origin, admins, governance } = PROGRAMME
  const args = ['--programme', slug, '--trust-domain', trust_domain]
  const origin = ['--node-origin', node_origin]
  const people = [...admins.flatMap((one) => ['--admin', one]), '--governance', governance]
  const { lines } = await stage.aldis('node', ['init', ...args, ...origin, ...people], {
    env: admin,
    text: ({ created }) =>
      created === true ? 'keys, CA, log and programme made' : 'found as an earlier run left them',
  })
  const [made] = lines as unknown as { admins: [string, string]; governance: string }[]
  if (made === undefined) throw new Error('aldis init told nothing')
  return { admins: made.admins, governance: made.governance }
}

interface Act {
  args: readonly string[]
  approver: string
  /** How the approver is called. */
  named: string
}

/** Asks, lets another person approve, and carries out an act that takes two; answers its result. */
async function act(
  { stage, admin: env }: Scene,
  { admins: [by] }: People,
  asked: Act,
): Promise<Record<string, unknown>> {
  const proposed = await stage.aldis('node', [...asked.args, '--by', by], {
    env,
    shown: [...asked.args, '--by', 'ada'],
  })
  const request = String(proposed.lines[0]?.['request'])
  await stage.aldis('node', ['approve', request, '--by', asked.approver], { env, quiet: true })
  const done = await stage.aldis('node', ['execute', request, '--by', by], { env, quiet: true })
  stage.show(`  approved by ${asked.named}, carried out by ada: two persons, both in the log`)
  return (done.lines[0]?.['result'] ?? {}) as Record<string, unknown>
}

/** Admits a platform unless an earlier run did, and gives it a certificate unless it has one for a while. */
export async function admitPlatform(scene: Scene, people: People, platform: Platform): Promise<void> {
  const { stage, ports } = scene
  const { participants } = await listed(scene, 'participants')
  if (!participants.some(({ participant }) => participant === platform)) {
    const name = `${platform.charAt(0).toUpperCase()}${platform.slice(1)} Social`
    const args = ['admit', platform, '--name', name]
    await act(scene, people, { args, approver: people.governance, named: 'gil' })
  }
  if (isGood(readIfThere(join(scene.home(platform), 'tls.crt')))) {
    stage.show(`${platform} has its certificate from an earlier run`)
    return
  }
  const invited = { args: ['invite', platform], approver: people.admins[1], named: 'bea' }
  const { code } = await act(scene, people, invited)
  const at = ['--enrol-at', `https://127.0.0.1:${ports.enrol}`, '--node', `https://127.0.0.1:${ports.partner}`]
  await stage.aldis(platform, ['enroll', String(code), ...at], {
    env: scene.at(platform),
    shown: ['enroll', 'ONE-TIME-CODE', ...at],
    text: ({ uri }) => `key made at ${platform}, certificate for ${String(uri)}`,
  })
}

/** A key epoch for identifiers, unless one runs. */
export async function publishEpoch(scene: Scene, people: People): Promise<void> {
  const soon = new Date(Date.now() + LEFT_MS).toISOString()
  const { hash_profiles } = await listed(scene, 'hash-profiles')
  if (hash_profiles.some((one) => one['status'] === 'active' && String(one['not_after']) > soon)) return
  const args = ['hash-profile', `epoch-${hash_profiles.length + 1}`]
  await act(scene, people, { args, approver: people.governance, named: 'gil' })
}

type Listing<N extends string> = Record<N, Record<string, unknown>[]>

async function listed<const C extends 'participants' | 'hash-profiles'>({ stage, admin: env }: Scene, command: C) {
  const { lines } = await stage.aldis('node', [command], { env, quiet: true })
  return lines[0] as Listing<C extends 'participants' ? 'participants' : 'hash_profiles'>
}

const isGood = (pem: string | undefined): boolean =>
  pem !== undefined && new X509Certificate(pem).validToDate.getTime() > Date.now() + LEFT_MS
