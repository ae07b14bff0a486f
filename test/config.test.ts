import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { loadConfig, settingsDocument } from '../src/config.ts'
import { StartRefused } from '../src/kernel/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'aldis-config-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const URL = 'postgres://aldis:hunter2@db.internal:5432/aldis'

function fileOf(content: string): string {
  const path = join(folder, `f${Math.random()}`)
  writeFileSync(path, content)
  return path
}

/** The message of the refusal. */
function refusal(env: NodeJS.ProcessEnv): string {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof StartRefused) return error.message
    throw error
  }
  throw new Error('it was not refused')
}

test('an empty environment is a node on loopback with an embedded database', () => {
  expect(loadConfig({})).toEqual({
    databaseUrl: undefined,
    databasePool: 10,
    dataDir: resolve('data'),
    configDir: resolve('config'),
    publicHost: '127.0.0.1',
    partnerHost: '127.0.0.1',
    partnerPort: 8443,
    enrolHost: '127.0.0.1',
    enrolPort: 8444,
    opsHost: '127.0.0.1',
    opsPort: 9464,
    logLevel: 'info',
    logOrigin: 'aldis.local/provenance/1',
    checkpointSeconds: 1,
    witnessPolicy: undefined,
    webhookHosts: undefined,
    webhookCa: undefined,
    sandbox: 'off',
    webhookInside: 'refuse',
    witnessDegrade: 'mark',
    backupHours: 0,
    reviewGraceSeconds: 20,
    consoleHost: '127.0.0.1',
    suppressBelow: 5,
    shutdownSeconds: 45,
  })
})

test('settings cannot be changed after they were read', () => {
  expect(Object.isFrozen(loadConfig({}))).toBe(true)
})

test('an empty variable counts as absent', () => {
  expect(loadConfig({ DATABASE_URL: '', PARTNER_PORT: '' })).toEqual(loadConfig({}))
})

test('paths are absolute', () => {
  expect(isAbsolute(loadConfig({ DATA_DIR: 'here' }).dataDir)).toBe(true)
})

test('every fault is named at once, with what is expected', () => {
  const message = refusal({ PARTNER_PORT: '70000', LOG_LEVEL: 'loud', CHECKPOINT_SECONDS: '0', PUBLIC_HOST: '-' })
  expect(message.split('\n').slice(1)).toEqual([
    '  PUBLIC_HOST: expected an IP address or a host name, no wildcard',
    '  PARTNER_PORT: expected a port (0: any free one), 0 to 65535',
    '  LOG_LEVEL: expected one of debug, info, warn, error, silent',
    '  CHECKPOINT_SECONDS: expected seconds, 1 to 60',
  ])
})

const WRONG: readonly [name: string, value: string][] = [
  ['DATABASE_URL', 'mysql://canary@db/aldis'],
  ['DATABASE_URL', 'postgres://canary@db:5432'],
  ['DATABASE_URL', 'canary'],
  ['DATABASE_POOL', '1e9canary'],
  ['DATABASE_POOL', '1'],
  ['DATA_DIR', 'canary\0'],
  ['PARTNER_HOST', 'canary_host'],
  ['PARTNER_HOST', '300.1.1.1'],
  ['PARTNER_PORT', '-1'],
  ['PARTNER_PORT', '8443.5'],
  ['PARTNER_PORT', '0x20fb'],
  ['PUBLIC_HOST', '0.0.0.0'],
  ['PUBLIC_HOST', '::'],
  ['PUBLIC_HOST', 'https://canary.example'],
  ['OPS_HOST', '0.0.0.0'],
  ['OPS_HOST', '::'],
  ['OPS_HOST', '10.0.0.1'],
  ['OPS_HOST', '127.0.0.1.canary.example'],
  ['OPS_HOST', '127.0.0.256'],
  ['LOG_ORIGIN', 'canary.example'],
  ['LOG_ORIGIN', 'https://canary.example/provenance/1'],
  ['LOG_ORIGIN', 'canary.example/provenance/0'],
  ['LOG_ORIGIN', 'canary.example/provenance/1\n'],
  ['SHUTDOWN_SECONDS', '4'],
]
test.for(WRONG)('%s=%j is refused by name, not by value', ([name, value]) => {
  const message = refusal({ [name]: value })
  expect(message).toMatch(new RegExp(`^settings:\n  ${name}: expected [^\n]+$`))
  expect(message).not.toContain('canary')
  if (value.length > 4) expect(message).not.toContain(value)
})

const RIGHT: readonly [name: string, value: string][] = [
  ['DATABASE_URL', URL],
  ['DATABASE_URL', 'postgresql://aldis@%2Frun%2Fpostgresql:5432/aldis'],
  ['PARTNER_HOST', '::'],
  ['PARTNER_HOST', 'node-1.example.org'],
  ['PARTNER_PORT', '0'],
  ['OPS_HOST', '127.8.8.8'],
  ['OPS_HOST', '::1'],
  ['OPS_HOST', 'localhost'],
  ['LOG_ORIGIN', 'node.example.org/provenance/2'],
]
test.for(RIGHT)('%s=%s is taken', ([name, value]) => {
  expect(Object.values(loadConfig({ [name]: value })).map(String)).toContain(value)
})

test('a secret may stand in a file, and is trimmed', () => {
  expect(loadConfig({ DATABASE_URL_FILE: fileOf(` ${URL}\n`) }).databaseUrl).toBe(URL)
})

test('a secret in both places, an absent file and an empty one are refused, without path or content', () => {
  const path = fileOf('')
  expect(refusal({ DATABASE_URL: URL, DATABASE_URL_FILE: fileOf(URL) })).toContain('set one of the two')
  for (const file of [path, join(folder, 'absent'), folder]) {
    const message = refusal({ DATABASE_URL_FILE: file })
    expect(message).toContain('DATABASE_URL_FILE')
    expect(message).not.toContain(folder)
  }
  const wrong = refusal({ DATABASE_URL_FILE: fileOf('hunter2') })
  expect(wrong).toContain('DATABASE_URL_FILE: expected postgres://')
  expect(wrong).not.toContain('hunter2')
})

test('only a secret may stand in a file', () => {
  expect(loadConfig({ PARTNER_PORT_FILE: fileOf('9000') }).partnerPort).toBe(8443)
})

test('two listeners do not share a port on one address, nor with a wildcard', () => {
  expect(refusal({ ENROL_PORT: '8443' })).toContain('ENROL_PORT: expected another port than PARTNER_PORT')
  expect(refusal({ PARTNER_HOST: '0.0.0.0', PARTNER_PORT: '9464' })).toContain('OPS_PORT')
  expect(loadConfig({ ENROL_PORT: '8443', ENROL_HOST: '127.0.0.2' }).enrolPort).toBe(8443)
  expect(loadConfig({ ENROL_PORT: '0', PARTNER_PORT: '0', OPS_PORT: '0' }).opsPort).toBe(0)
})

test('the documents name every setting once, with its default', () => {
  const { markdown, env } = settingsDocument()
  const names = Object.keys(loadConfig({})).map((name) => name.replace(/[A-Z]/g, '_$&').toUpperCase())
  expect([...markdown.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name)).toEqual(names)
  expect([...env.matchAll(/^#([A-Z_]+)=/gm)].map(([, name]) => name?.replace(/_FILE$/, ''))).toEqual(names)
})

test('the example with its comment signs taken off changes nothing', () => {
  const { env } = settingsDocument()
  expect(loadConfig(parseEnv(env))).toEqual(loadConfig({}))
  expect(loadConfig(parseEnv(env.replaceAll(/^#(?=[A-Z])/gm, '')))).toEqual(loadConfig({}))
  expect(env.split('\n').filter((line) => line.length > 100)).toEqual([])
})

test.each(['https://alarms.example.org/node?a=b', 'http://127.0.0.1:9000/', 'http://[::1]:9000/', 'http://localhost/'])(
  'alarms may be posted to %s',
  (url) => {
    expect(loadConfig({ ALARM_WEBHOOK_URL: url }).alarmWebhookUrl).toBe(url)
  },
)

test.each([
  'http://alarms.example.org/',
  'http://127.0.0.1.example.org/',
  'https://fig:plum@alarms.example.org/',
  'https://alarms.example.org/#plum',
  'ftp://127.0.0.1/',
  'alarms.example.org',
])('alarms may not be posted to %s', (url) => {
  const said = refusal({ ALARM_WEBHOOK_URL: url })
  expect(said).toContain('ALARM_WEBHOOK_URL: expected an https URL')
  expect(said).not.toContain('plum')
})

test('the secret of the alarms is of Standard Webhooks, and as long as its signature needs', () => {
  const secret = (bytes: number): string => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`
  for (const good of [secret(24), secret(64)])
    expect(loadConfig({ ALARM_WEBHOOK_SECRET: good }).alarmWebhookSecret).toBe(good)
  for (const bad of [
    secret(23),
    secret(65),
    secret(24).slice(6),
    `${secret(24)}=`,
    'whsec_plum plum plum plum plum plum',
  ])
    expect(refusal({ ALARM_WEBHOOK_SECRET: bad })).toContain('ALARM_WEBHOOK_SECRET: expected')
})

const DEMO = { CONSOLE_PORT: '8445', CONSOLE_DEMO_PORT: '8446' }
const REAL = { CONSOLE_PORT: '8445', OIDC_PROVIDERS: '/etc/aldis/providers.json' }

test('a console has everything that it takes', () => {
  expect(loadConfig(DEMO)).toMatchObject({ consolePort: 8445, consoleDemoPort: 8446 })
  expect(loadConfig({ ...REAL, NODE_ENV: 'production', CONSOLE_HOST: '0.0.0.0' })).toMatchObject({ consolePort: 8445 })
})

test.for([
  ['OIDC_PROVIDERS: is missing', { CONSOLE_PORT: '8445' }],
  ['CONSOLE_PORT: is missing', { OIDC_PROVIDERS: '/etc/aldis/providers.json' }],
  ['CONSOLE_PORT: is missing', { CONSOLE_DEMO_PORT: '8446' }],
  ['CONSOLE_DEMO_PORT: expected nothing where', { ...DEMO, ...REAL }],
  ['CONSOLE_DEMO_PORT: expected nothing in production', { ...DEMO, NODE_ENV: 'production' }],
  ['CONSOLE_HOST: expected a loopback address', { ...DEMO, CONSOLE_HOST: '0.0.0.0' }],
  ['CONSOLE_ORIGIN: expected a loopback address', { ...DEMO, CONSOLE_ORIGIN: 'https://console.example' }],
  ['CONSOLE_ORIGIN: expected https://', { ...REAL, CONSOLE_ORIGIN: 'https://console.example/path' }],
  ['CONSOLE_ORIGIN: expected https://', { ...REAL, CONSOLE_ORIGIN: 'http://console.example' }],
  ['CONSOLE_TLS_KEY: is missing', { ...REAL, CONSOLE_TLS_CERTIFICATE: 'c.pem' }],
  ['CONSOLE_TLS_CERTIFICATE: is missing', { ...REAL, CONSOLE_TLS_KEY: 'k.pem' }],
  ['CONSOLE_PORT: expected another port than PARTNER_PORT', { ...REAL, CONSOLE_PORT: '8443' }],
] as const)('a console that is configured by half stops the start: %s', ([fault, env]) => {
  expect(refusal({ ...env })).toContain(fault)
})

test('hosts of webhooks are enrolled by participant, and lead inside in no production', () => {
  const { webhookHosts } = loadConfig({
    WEBHOOK_HOSTS: 'apple=hooks.apple.example, apple=two.example,banana=b.example',
  })
  expect(webhookHosts).toEqual(
    new Map([
      ['apple', new Set(['hooks.apple.example', 'two.example'])],
      ['banana', new Set(['b.example'])],
    ]),
  )
  for (const text of ['apple', 'apple=', '=host', 'apple=a b', 'apple=https://x', 'Apple=x.example', 'apple=x=y'])
    expect(() => loadConfig({ WEBHOOK_HOSTS: text }), text).toThrow(/WEBHOOK_HOSTS: expected/)
  expect(loadConfig({ WEBHOOK_INSIDE: 'allow' }).webhookInside).toBe('allow')
  expect(() => loadConfig({ WEBHOOK_INSIDE: 'allow', NODE_ENV: 'production' })).toThrow(/WEBHOOK_INSIDE/)
  expect(() => loadConfig({ SANDBOX: 'on', NODE_ENV: 'production' })).toThrow(/SANDBOX: expected off/)
})
