import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { StartRefused } from './kernel/errors.ts'
import { isLoopback } from './kernel/loopback.ts'

/** A form that a setting may have: undefined for a text that is not of it. */
interface Kind<T> {
  expects: string
  parse(text: string): T | undefined
}

interface Setting<T> {
  kind: Kind<T>
  /** As it would stand in the environment; the empty text if the setting may be absent. */
  default: string
  description: string
  /** May stand in a file named by `<NAME>_FILE` instead. */
  secret?: true
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i
const WILDCARD = /^[0.:]+$/
const ORIGIN = /^[a-z0-9.:[\]-]{1,253}\/provenance\/[1-9][0-9]{0,8}$/
const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** A name of digits and dots alone would be an address that is none. */
const isHost = (text: string): boolean => isIP(text) !== 0 || (HOST_NAME.test(text) && !/^[0-9.]+$/.test(text))

function texts(expects: string, fits: (text: string) => boolean): Kind<string> {
  return { expects, parse: (text) => (fits(text) ? text : undefined) }
}

function whole(least: number, most: number, what: string): Kind<number> {
  return {
    expects: `${what}, ${least} to ${most}`,
    parse: (text) => {
      const n = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN
      return n >= least && n <= most ? n : undefined
    },
  }
}

function oneOf<const T extends string>(choices: readonly T[]): Kind<T> {
  return { expects: `one of ${choices.join(', ')}`, parse: (text) => choices.find((choice) => choice === text) }
}

const folder: Kind<string> = {
  expects: 'the path of a folder',
  parse: (text) => (text.includes('\0') ? undefined : resolve(text)),
}
const optionalFolder: Kind<string | undefined> = folder
const optionalFile: Kind<string | undefined> = { ...folder, expects: 'the path of a file' }
const host = texts('an IP address or a host name', isHost)
const publicHost = texts('an IP address or a host name, no wildcard', (text) => isHost(text) && !WILDCARD.test(text))
const loopback = texts('a loopback address', isLoopback)
const port = whole(0, 65_535, 'a port (0: any free one)')
const optionalPort: Kind<number | undefined> = port
const origin = texts('<host>/provenance/<number>', (text) => ORIGIN.test(text))

const databaseUrl: Kind<string | undefined> = {
  expects: 'postgres://<role>@<host>:<port>/<database>',
  parse: (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) return undefined
    return url.pathname.length > 1 ? text : undefined
  },
}

const alarmUrl: Kind<string | undefined> = {
  expects: 'an https URL, or http on loopback; without user, password and fragment',
  parse: (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') return undefined
    const near = url.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, ''))
    return url.protocol === 'https:' || near ? text : undefined
  },
}
const alarmSecret: Kind<string | undefined> = {
  expects: '`whsec_` and 24 to 64 bytes in base64',
  parse: (text) => {
    const bytes = Buffer.from(text.slice(6), 'base64')
    const exact = text === `whsec_${bytes.toString('base64')}`
    return exact && bytes.length >= 24 && bytes.length <= 64 ? text : undefined
  },
}

const enrolledHosts: Kind<ReadonlyMap<string, ReadonlySet<string>> | undefined> = {
  expects: 'pairs such as apple=hooks.apple.example, parted by commas',
  parse: (text) => {
    const hosts = new Map<string, Set<string>>()
    for (const pair of text.split(',')) {
      const [slug = '', name = '', ...more] = pair.trim().split('=')
      if (!/^[a-z0-9][a-z0-9-]{1,62}$/.test(slug) || more.length > 0 || !isHost(name)) return undefined
      hosts.set(slug, (hosts.get(slug) ?? new Set()).add(name.toLowerCase()))
    }
    return hosts
  },
}

const contact: Kind<string | undefined> = {
  expects: 'at most 200 characters on one line',
  parse: (text) => (/^[^\p{Cc}]{1,200}$/u.test(text) ? text : undefined),
}

const httpsOrigin: Kind<string | undefined> = {
  expects: 'https://<host>:<port>, without a path',
  parse: (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    return url?.protocol === 'https:' && url.origin === text ? text : undefined
  },
}

const setting = <T>(from: Setting<T>): Setting<T> => from

/** Every setting of the node, declared here and nowhere else. */
const SETTINGS = {
  DATABASE_URL: setting({
    kind: databaseUrl,
    default: '',
    secret: true,
    description:
      'PostgreSQL 15 to 18. Absent: the embedded one, in `DATA_DIR`. It may hold a password: name a file, so that the environment of the process does not show it.',
  }),
  DATABASE_POOL: setting({
    kind: whole(2, 100, 'connections'),
    default: '10',
    description:
      'Connections of the API at most. More than the server has cores for make every request slower, and may leave none for the migrations.',
  }),
  DATA_DIR: setting({
    kind: folder,
    default: 'data',
    description:
      'Keys, certificates and the embedded database. Give its full path: a node that is started elsewhere would find an empty folder and no keys.',
  }),
  CONFIG_DIR: setting({
    kind: folder,
    default: 'config',
    description:
      'Holds `taxonomy.json` and `retention.json`. Keep changes to them under version control: receipts name their versions.',
  }),
  PUBLIC_HOST: setting({
    kind: publicHost,
    default: '127.0.0.1',
    description:
      "By which name or address participants reach the node. It stands in the node's certificate: if it is another than they use, no client connects.",
  }),
  PARTNER_HOST: setting({
    kind: host,
    default: '127.0.0.1',
    description: 'Where participants connect. On loopback until it is set, so that a trial is not open to the network.',
  }),
  PARTNER_PORT: setting({
    kind: port,
    default: '8443',
    description: 'TLS ends in the node: a proxy in front has to pass TCP through, or nobody is recognised.',
  }),
  ENROL_HOST: setting({
    kind: host,
    default: '127.0.0.1',
    description:
      'Where one-time codes are redeemed. It asks for no client certificate; open it to the network only while people enrol.',
  }),
  ENROL_PORT: setting({
    kind: port,
    default: '8444',
    description: "Another than the partners', whose listener lets nobody in without a certificate.",
  }),
  CONSOLE_PORT: setting({
    kind: optionalPort,
    default: '',
    description:
      'Where people sign in with a browser. Absent: there is no console. It takes `OIDC_PROVIDERS`, or in a trial `CONSOLE_DEMO_PORT`; without either the node does not start, since a console that nobody can sign in to looks like an outage.',
  }),
  CONSOLE_HOST: setting({
    kind: host,
    default: '127.0.0.1',
    description: 'The address that the console listens on. On loopback until it is set.',
  }),
  CONSOLE_ORIGIN: setting({
    kind: httpsOrigin,
    default: '',
    description:
      'How browsers name the console. Absent: `PUBLIC_HOST` and the port. Identity providers know it as the start of the redirect URI, so a change of it ends every sign-in until they know the new one.',
  }),
  CONSOLE_TLS_CERTIFICATE: setting({
    kind: optionalFile,
    default: '',
    description:
      "A PEM chain that people's browsers trust, for the console alone. Absent: the node's own certificate by the programme's CA, at which browsers warn; whoever is used to pass warnings by passes the real one by too.",
  }),
  CONSOLE_TLS_KEY: setting({
    kind: optionalFile,
    default: '',
    description: 'The key of that certificate, PEM, in a file that the node alone can read. One is set with the other.',
  }),
  OIDC_PROVIDERS: setting({
    kind: optionalFile,
    default: '',
    description:
      "A JSON file with the identity providers that people sign in through ([console.md](console.md)). What they claim is only half: who a login is and what the person may do is granted here, or an identity provider's administrator would be an administrator of the node.",
  }),
  CONSOLE_DEMO_PORT: setting({
    kind: optionalPort,
    default: '',
    description:
      'A provider without passwords, on loopback, where anybody is anybody: for a demonstration. Refused with `NODE_ENV=production`, with `OIDC_PROVIDERS`, and where the console is not on loopback.',
  }),
  OPS_HOST: setting({
    kind: loopback,
    default: '127.0.0.1',
    description: 'Probes and metrics. Loopback alone, since it asks nobody who they are; anything else is refused.',
  }),
  OPS_PORT: setting({
    kind: port,
    default: '9464',
    description: '`/livez`, `/readyz`, `/metrics`. The health check of the container reads the same setting.',
  }),
  LOG_LEVEL: setting({
    kind: oneOf(LEVELS),
    default: 'info',
    description:
      'What the process writes about itself. At every level it writes names and numbers, never what was sent.',
  }),
  SANDBOX: setting({
    kind: oneOf(['off', 'on']),
    default: 'off',
    description:
      'A node to try programs against: a simulated participant shares, corrects, withdraws and answers when it is asked to, and any refusal can be asked for. It decides for the persons of the programme, so that nothing in it is worth anything; refused with `NODE_ENV=production`.',
  }),
  LOG_ORIGIN: setting({
    kind: origin,
    default: 'aldis.local/provenance/1',
    description:
      "The provenance log's name, in each checkpoint and receipt. Set it before `aldis init`, to a name that no other log has, and never again: under another name, what participants hold no longer verifies.",
  }),
  ANCHOR_DIR: setting({
    kind: optionalFolder,
    default: '',
    description:
      'Remembers outside the database what was signed, so that a database that was set back is not signed again. Absent: `anchor` in `DATA_DIR`. Put it on another disk or machine than the database, and never restore it together with it.',
  }),
  WITNESS_POLICY: setting({
    kind: optionalFile,
    default: '',
    description:
      'The witnesses that cosign each checkpoint, and how many must (C2SP tlog-policy). Absent: none, and a node that shows two histories is noticed only by participants who compare heads. Read at start; each change is recorded in the log.',
  }),
  WITNESS_DEGRADE: setting({
    kind: oneOf(['mark', 'never']),
    default: 'mark',
    description:
      'What happens to checkpoints when the quorum is missing for 5 seconds: `mark` publishes them with `Provenance-Witnessed`, `never` withholds them, and after 15 minutes the node refuses what must be logged.',
  }),
  CHECKPOINT_SECONDS: setting({
    kind: whole(1, 60, 'seconds'),
    default: '1',
    description:
      'How often a log that has grown is signed. Longer: receipts wait longer, and a longer piece of history rests on the database alone.',
  }),
  BACKUP_HOURS: setting({
    kind: whole(0, 8_760, 'hours'),
    default: '0',
    description:
      'Raises the alarm `backup-old` when the last `aldis backup` is older. 0 does not watch: if backups are made by other means, watch those, or their end goes unnoticed until one is needed.',
  }),
  ALARM_WEBHOOK_URL: setting({
    kind: alarmUrl,
    default: '',
    secret: true,
    description:
      'Where alarms are posted when they are raised and cleared: name, state, time and node, no values. Absent: alarms are in the log of the process and in `/metrics` alone, and nobody is called.',
  }),
  ALARM_WEBHOOK_SECRET: setting({
    kind: alarmSecret,
    default: '',
    secret: true,
    description:
      'Signs what is posted there (Standard Webhooks, `v1`). Absent: it is not signed, and whoever finds the URL can raise and clear alarms.',
  }),
  WEBHOOK_HOSTS: setting({
    kind: enrolledHosts,
    default: '',
    description:
      'Which hosts the node may post to for which participant, once its partner administrator adds a webhook. Absent: none can be added. Asked again before each post: to a host that was taken away nothing goes (`not-enrolled`). A host that others run learns when cases come and go.',
  }),
  WEBHOOK_CA: setting({
    kind: optionalFile,
    default: '',
    description:
      'A PEM of authorities that sign certificates of these hosts, instead of those that Node trusts. Absent: the usual ones.',
  }),
  WEBHOOK_INSIDE: setting({
    kind: oneOf(['refuse', 'allow']),
    default: 'refuse',
    description:
      'Whether webhooks may lead to addresses of this machine and its network, for a trial. With `allow` whoever controls an enrolled name reaches what only the node reaches; refused with `NODE_ENV=production`.',
  }),
  REVIEW_GRACE_SECONDS: setting({
    kind: whole(0, 3_600, 'seconds'),
    default: '20',
    description:
      'How long a decision on a case may be undone before anything of it leaves. Afterwards it is corrected, which everybody sees.',
  }),
  SUPPRESS_BELOW: setting({
    kind: whole(2, 100, 'a number'),
    default: '5',
    description:
      'In files that leave the console, counts of one organisation with another below it are left out, and enough others that sums do not tell them. On the screen of governance they stand.',
  }),
  OPERATOR_CONTACT: setting({
    kind: contact,
    default: '',
    description:
      'Whom the console says to call when a proof fails, such as `+353 1 555 0100 or duty@exchange.example`. Absent: it names the operator and governance, whom somebody has to look up then.',
  }),
  SHUTDOWN_SECONDS: setting({
    kind: whole(5, 600, 'seconds'),
    default: '45',
    description:
      'After which a stop ends whatever still runs. The service manager must wait longer, or it kills the node with answers under way.',
  }),
} as const

type Name = keyof typeof SETTINGS
type Camel<S extends string> = S extends `${infer Head}_${infer Rest}`
  ? `${Lowercase<Head>}${Capitalize<Camel<Rest>>}`
  : Lowercase<S>
type Value<N extends Name> = (typeof SETTINGS)[N] extends Setting<infer T> ? T : never

/** The settings as read: `PARTNER_PORT` is `partnerPort`; paths are absolute. */
export type Config = { readonly [N in Name as Camel<N>]: Value<N> }

const NAMES = Object.keys(SETTINGS) as Name[]

/**
 * Reads every setting once. Throws one `StartRefused` that lists each fault by the variable's name and what is expected,
 * never by its value. An empty variable counts as absent.
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const faults: string[] = []
  const values: Record<string, unknown> = {}
  for (const name of NAMES) {
    const found = read(name, env)
    if ('fault' in found) faults.push(found.fault)
    else values[camel(name)] = found.value
  }
  const config = Object.freeze(values) as Config
  if (faults.length === 0) faults.push(...clashes(config), ...halfConfigured(config, env))
  if (faults.length > 0) throw new StartRefused(['settings:', ...faults].join('\n  '))
  return config
}

function read(name: Name, env: NodeJS.ProcessEnv): { value: unknown } | { fault: string } {
  const { kind, default: preset, secret }: Setting<unknown> = SETTINGS[name]
  const [given = '', file = ''] = [env[name], secret ? env[`${name}_FILE`] : undefined]
  if (given !== '' && file !== '') return { fault: `${name} and ${name}_FILE: set one of the two` }
  const held = file === '' ? given : contentOf(file)
  if (held === undefined) return { fault: `${name}_FILE: names no file that can be read and holds something` }
  const text = held === '' ? preset : held
  if (text === '') return { value: undefined }
  const value = kind.parse(text)
  const label = file === '' ? name : `${name}_FILE`
  return value === undefined ? { fault: `${label}: expected ${kind.expects}` } : { value }
}

/** Trimmed; undefined also for an empty file, which is a secret that was not written and no wish for the default. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}

function clashes(config: Config): string[] {
  const places = [
    ['PARTNER_PORT', config.partnerHost, config.partnerPort],
    ['ENROL_PORT', config.enrolHost, config.enrolPort],
    ['OPS_PORT', config.opsHost, config.opsPort],
    ['CONSOLE_PORT', config.consoleHost, config.consolePort ?? 0],
    ['CONSOLE_DEMO_PORT', '127.0.0.1', config.consoleDemoPort ?? 0],
  ] as const
  return places.flatMap(([name, at, number], i) =>
    places
      .slice(i + 1)
      .filter(([, otherHost, other]) => number !== 0 && other === number && overlap(at, otherHost))
      .map(([other]) => `${other}: expected another port than ${name}`),
  )
}

/** A console is there with everything that it takes, or it is not. */
function halfConfigured(config: Config, env: NodeJS.ProcessEnv): string[] {
  const { consolePort, oidcProviders, consoleDemoPort, consoleTlsCertificate, consoleTlsKey, consoleOrigin } = config
  const [real, demo] = [oidcProviders !== undefined, consoleDemoPort !== undefined]
  const faults: [boolean, string][] = [
    [(real || demo) && consolePort === undefined, 'CONSOLE_PORT: is missing, and a provider for sign-in is set'],
    [consolePort !== undefined && !real && !demo, 'OIDC_PROVIDERS: is missing, and the console has a port'],
    [real && demo, 'CONSOLE_DEMO_PORT: expected nothing where OIDC_PROVIDERS is set'],
    [demo && env['NODE_ENV'] === 'production', 'CONSOLE_DEMO_PORT: expected nothing in production'],
    [
      config.webhookInside === 'allow' && env['NODE_ENV'] === 'production',
      'WEBHOOK_INSIDE: expected refuse in production',
    ],
    [config.sandbox === 'on' && env['NODE_ENV'] === 'production', 'SANDBOX: expected off in production'],
    [demo && !isLoopback(config.consoleHost), 'CONSOLE_HOST: expected a loopback address with CONSOLE_DEMO_PORT'],
    [
      demo && consoleOrigin !== undefined && !isLoopback(new URL(consoleOrigin).hostname),
      'CONSOLE_ORIGIN: expected a loopback address with CONSOLE_DEMO_PORT',
    ],
    [consoleTlsCertificate !== undefined && consoleTlsKey === undefined, 'CONSOLE_TLS_KEY: is missing'],
    [consoleTlsKey !== undefined && consoleTlsCertificate === undefined, 'CONSOLE_TLS_CERTIFICATE: is missing'],
  ]
  return faults.flatMap(([found, fault]) => (found ? [fault] : []))
}

const overlap = (a: string, b: string): boolean => a === b || WILDCARD.test(a) || WILDCARD.test(b)

const camel = (name: string): string =>
  name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** `docs/settings.md` and `config/example.env`, both from the one table. */
export function settingsDocument(): { markdown: string; env: string } {
  const rows = NAMES.map((name) => ({ name, ...(SETTINGS[name] as Setting<unknown>) }))
  const markdown = [
    '# Settings',
    '',
    'Made by `npm run docs` from `src/config.ts`.',
    '',
    'Read once, from the environment, at start. An empty variable counts as absent. If any is wrong, the node names all that are and ends with',
    'exit code 78; it never prints a value. What is marked * may stand in a file instead, named by the variable with `_FILE` added.',
    '',
    '| Name | Expected | Default | What it is, and the accident to avoid |',
    '|---|---|---|---|',
    ...rows.map(
      ({ name, kind, default: preset, description, secret }) =>
        `| \`${name}\`${secret ? ' *' : ''} | ${cell(kind.expects)} | ${preset === '' ? '–' : `\`${preset}\``} | ${cell(description)} |`,
    ),
    '',
  ]
  const env = [
    '# Made by `npm run docs` from `src/config.ts`. Copy to `.env`; what stands here are the defaults.',
    ...rows.flatMap(({ name, kind, default: preset, description, secret }) => [
      '',
      ...wrap(description),
      `# ${kind.expects}`,
      `#${secret ? `${name}_FILE=` : `${name}=${preset}`}`,
    ]),
    '',
  ]
  return { markdown: markdown.join('\n'), env: env.join('\n') }
}

/** Angle brackets would be taken for HTML. */
const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll(/<[^>]*>\S*|\S*<[^>]*>\S*/g, (part) => `\`${part}\``)

/** Comment lines of at most 100 columns. */
function wrap(text: string): string[] {
  const lines = ['#']
  for (const word of text.replaceAll('`', '').split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last.length + word.length < 100) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`# ${word}`)
  }
  return lines
}
