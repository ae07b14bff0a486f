import { spawn } from 'node:child_process'
import { get as httpGet } from 'node:http'
import { fileURLToPath } from 'node:url'
import { answerTo } from '../../kernel/answer-to.ts'
import type { Scene } from './scene.ts'
import type { Shared } from './story.ts'

const CLI = fileURLToPath(new URL('../main.js', import.meta.url))
const CLIENT = 'scanner'

interface Update {
  type: string
  indicator: string
  descriptors?: { data: { owner: { name: string }; status: string }[] }
}

interface Page {
  data: Update[]
  paging?: { next: string }
}

/** A program of Banana's that knows ThreatExchange, and nothing of us, asks the bridge beside it. */
export async function askingAsTheyDo(scene: Scene, hash: string): Promise<void> {
  const { stage } = scene
  const env = scene.at('banana')
  stage.chapter("Banana's scanner, made for ThreatExchange, asks the bridge beside it")
  const added = await stage.aldis('banana', ['bridge', 'client', 'add', CLIENT], {
    env,
    text: () => 'a secret of its own',
  })
  const token = String(added.lines[0]?.['access_token'])
  stage.show('banana$ aldis bridge')
  const bridge = await startBridge(env)
  try {
    const get = async <T>(url: string): Promise<T> => JSON.parse((await asked(url)).text) as T
    const shown = (path: string): string => {
      stage.show(`scanner$ curl '${bridge.origin}/v21.0/${path}?access_token=..'`)
      return `${bridge.origin}/v21.0/${path}?access_token=${encodeURIComponent(token)}`
    }
    const groups = await get<{ data: { id: string; name: string }[] }>(
      shown(`${token.split('|')[0]}/threat_privacy_groups_member`),
    )
    const updates: Update[] = []
    for (const { id, name } of groups.data) {
      stage.show(`  group ${name}`)
      for (let next: string | undefined = shown(`${id}/threat_updates/`); next !== undefined; ) {
        const page: Page = await get<Page>(next)
        updates.push(...page.data)
        next = page.paging?.next
      }
    }
    const found = updates.find(({ indicator }) => indicator === hash)
    const [by] = found?.descriptors?.data ?? []
    stage.show(`  ${found?.type ?? 'nothing'}, ${by?.status ?? ''}, by ${by?.owner.name ?? 'nobody'}`)
    stage.proves(
      'it finds the hash that Apple shared, as a client of ThreatExchange reads it',
      by?.owner.name === 'apple',
    )
    const stranger = await asked(`${bridge.origin}/v21.0/1/threat_updates/`)
    stage.proves('who has no secret is told nothing', stranger.status === 401)
  } finally {
    await bridge.stop()
    await stage.aldis('banana', ['bridge', 'client', 'end', CLIENT], { env, quiet: true })
  }
}

/** As a program asks: what a browser adds would be refused. */
async function asked(url: string): Promise<{ status: number | undefined; text: string }> {
  const message = await answerTo(httpGet(url))
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return { status: message.statusCode, text: Buffer.concat(chunks).toString() }
}

/** The hash among what was shared. */
export const hashIn = ({ raw }: Shared): string =>
  String(raw.find(({ type, algorithm }) => type === 'media_hash' && algorithm === 'pdq')?.['hash'] ?? '').toLowerCase()

/** As a process of its own, which has synchronised. */
async function startBridge(env: Readonly<Record<string, string>>): Promise<{ origin: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [CLI, '--json', 'bridge', '--listen', '127.0.0.1:0'], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
  }
  return new Promise((resolve, reject) => {
    let [rest, origin, synced] = ['', '', false]
    child.once('close', (code) => reject(new Error(`the bridge ended with ${code}`)))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const told = JSON.parse(line) as { what: string; origin?: string }
        origin = told.origin ?? origin
        synced ||= told.what === 'synced'
      }
      if (origin !== '' && synced) resolve({ origin, stop })
    })
  })
}
