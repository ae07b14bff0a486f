import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { renderToString } from 'preact-render-to-string'
import { StartRefused } from '../kernel/errors.ts'
import type { Role } from '../participants/schema.ts'
import type { Assets } from './assets.ts'
import { type Engine, engineOf, type Interaction } from './demo-engine.ts'
import { parseForm } from './form.ts'
import { links } from './links.ts'
import { PLAIN_LOOK } from './look.ts'
import { ConfirmPage, PersonasPage } from './pages/personas.tsx'
import { Outside } from './parts/outside.tsx'
import type { Provider } from './providers.ts'
import { policyOf, SECURITY_HEADERS } from './security-headers.ts'

const LOOPBACK = '127.0.0.1'
const FORM_BYTES_MAX = 4_096

const DEMO_PROVIDER = 'demo'
export const DEMO_BANNER = 'Demonstration: whoever sits at this machine may be anybody. Use it for nothing real.'
const STEP_UP_ACR = 'urn:aldis:demo:step-up'

/** Somebody invented, as the programme's own tables have them. */
export interface Persona {
  subject: string
  name: string
  organisation: string
  roles: readonly Role[]
}

export interface DemoProviderOptions {
  https: { key: string; cert: string }
  /** PEM of the authority that signed the certificate, for the client of the console. */
  ca: string
  port: number
  assets: Assets
  programme: string
  /** Known once the console listens. */
  consoleOrigin(): string
  personas(issuer: string): Promise<readonly Persona[]>
}

export interface DemoProvider {
  readonly provider: Provider
  readonly origin: string
  close(): Promise<void>
}

/**
 * An identity provider without passwords, inside the node: its own port on loopback, the code path of a real one. Settings
 * refuse it in production; the library is a development dependency and is named where it is missing.
 */
export async function startDemoProvider(options: DemoProviderOptions): Promise<DemoProvider> {
  const { https, port, ca } = options
  const make = await engineOf()
  const clientSecret = randomBytes(32).toString('base64url')
  let engine: Engine | undefined
  const server = createServer({ ...https, minVersion: 'TLSv1.3', requestTimeout: 10_000 }, (request, response) => {
    void answer(request, response).catch(() => void response.writeHead(500).end())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new StartRefused('CONSOLE_DEMO_PORT: cannot be listened on', { cause })))
    server.listen(port, LOOPBACK, resolve)
  })
  const origin = `https://${LOOPBACK}:${(server.address() as AddressInfo).port}`
  const engineNow = (): Engine => {
    engine ??= make({
      issuer: origin,
      client: {
        id: 'aldis-console',
        secret: clientSecret,
        redirectUri: `${options.consoleOrigin()}${links.callback(DEMO_PROVIDER)}`,
        signedOutUri: `${options.consoleOrigin()}${links.signIn()}`,
      },
      stepUpAcr: STEP_UP_ACR,
      key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
      cookieKey: randomBytes(32).toString('base64url'),
      rolesOf: async (subject) => (await personaOf(options, origin, subject))?.roles,
    })
    return engine
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const formAction = [options.consoleOrigin()]
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    response.setHeader('content-security-policy', policyOf({ formAction }))
    const path = new URL(request.url ?? '/', origin).pathname
    if (path.startsWith('/assets/')) return sendAsset(options.assets, path, response)
    if (!path.startsWith('/personas/')) return engineNow().callback(request, response)
    const interaction = await engineNow().interaction(request, response)
    if (request.method === 'POST') return choose(engineNow(), { request, response, interaction })
    const personas = await options.personas(origin)
    sendPage(options, response, pageOf(personas, interaction))
  }

  return {
    origin,
    provider: {
      ...{ name: DEMO_PROVIDER, label: 'Choose a persona', issuer: origin, clientId: 'aldis-console', clientSecret },
      ...{ rolesClaim: 'roles', roles: undefined, stepUpAcr: STEP_UP_ACR, ca },
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const personaOf = async ({ personas }: DemoProviderOptions, issuer: string, subject: string) =>
  (await personas(issuer)).find((persona) => persona.subject === subject)

/** Who signed in here before is asked to confirm; anybody else chooses. */
function pageOf(personas: readonly Persona[], { uid, stepUp, subject }: Interaction) {
  const known = personas.find((persona) => persona.subject === subject)
  return stepUp && known !== undefined
    ? { title: 'Is it you?', body: <ConfirmPage uid={uid} persona={known} /> }
    : { title: 'Who are you today?', body: <PersonasPage uid={uid} personas={personas} /> }
}

interface Choosing {
  request: IncomingMessage
  response: ServerResponse
  interaction: Interaction
}

async function choose(engine: Engine, { request, response, interaction }: Choosing): Promise<void> {
  const { subject, confirmed } = parseForm(await bodyOf(request))
  if (typeof subject !== 'string') return void response.writeHead(400).end()
  await engine.finish(request, response, { subject, stepUp: interaction.stepUp && confirmed === 'yes' })
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > FORM_BYTES_MAX) throw new Error('a form of the personas is small')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function sendAsset(assets: Assets, path: string, response: ServerResponse): void {
  const asset = assets.find(path.slice('/assets/'.length))
  if (asset === undefined) return void response.writeHead(404).end()
  response.writeHead(200, { 'content-type': asset.type }).end(asset.body)
}

function sendPage(
  { assets, programme }: DemoProviderOptions,
  response: ServerResponse,
  { title, body }: ReturnType<typeof pageOf>,
): void {
  const outside = { asset: assets.href, look: PLAIN_LOOK, programme, banner: DEMO_BANNER, title }
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  response.end(`<!doctype html>${renderToString(<Outside {...outside}>{body}</Outside>)}`)
}
