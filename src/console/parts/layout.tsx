import type { ComponentChildren, VNode } from 'preact'
import { links } from '../links.ts'
import { keyMapText, type Preferences } from '../preference-rule.ts'
import type { Page } from '../render.tsx'
import type { Section } from '../sections.ts'
import { HelpDialog, PaletteDialog, SessionDialog } from './dialogs.tsx'
import { Head, type HeadProps } from './head.tsx'
import { Icon } from './icon.tsx'
import { type LogHealth, LogStrip } from './log-strip.tsx'
import { Bell, Nav, ViewerMenu } from './nav.tsx'

/** What every page shows around its content. */
export interface Shell extends Pick<HeadProps, 'asset' | 'look'> {
  now: Date
  /** Of the programme. */
  programme: string
  /** Stands at the top of every page, where the node is not what it seems. */
  banner?: string
  log: LogHealth
  /** Which keys whoever looks has moved. */
  keys: Preferences['keys']
  /** How much waits in a section. */
  counts: Partial<Record<Section, number>>
  /** When the session ends unless the person does something. */
  idleSeconds: number
}

const SCRIPTS = ['shell.js'] as const

/** `noSwap` keeps refusals out of the page; only an exact `hx-status:422` beats it. */
const HTMX = JSON.stringify({
  noSwap: [204, 304, '4xx', '5xx'],
  includeIndicatorCSS: false,
  history: 'reload',
  defaultSwap: 'none',
  defaultTimeout: 20_000,
})

type LayoutProps = Shell & Page & { children: ComponentChildren }

export function Layout(props: LayoutProps): VNode {
  const { asset, look, viewer, title, current, styles, scripts = [], children, banner, log, now, programme } = props
  return (
    <html
      lang="en"
      class={`theme-${look.theme} ${look.density}`}
      data-keys={look.keys ? 'on' : 'off'}
      data-keymap={keyMapText(props.keys) || undefined}
    >
      <Head {...{ asset, look, title, styles }}>
        <meta name="htmx-config" content={HTMX} />
        <script src={asset('htmx.js')} defer />
        {[...SCRIPTS, ...scripts].map((name) => (
          <script key={name} type="module" src={asset(name)} />
        ))}
      </Head>
      <body data-section={current} data-idle={props.idleSeconds}>
        <a class="skip" href="#main">
          Skip to content
        </a>
        {banner !== undefined && (
          <p class="banner">
            <Icon name="alert" /> {banner}
          </p>
        )}
        <header class="bar">
          <a class="brand" href={links.home()}>
            <strong>Aldis</strong> <span class="muted">{programme}</span>
          </a>
          <Nav viewer={viewer} current={current} counts={props.counts} />
          <div class="bar-end">
            <button type="button" class="bar-button" data-open="palette" hidden>
              <span class="bar-word">Go to</span> <kbd class="key">Ctrl K</kbd>
            </button>
            <a class="bar-button" href={links.help()} data-open="help">
              <span class="unseen">Keys and help</span>
              <span class="key" aria-hidden="true">
                ?
              </span>
            </a>
            <Bell unread={props.counts.notices ?? 0} isCurrent={current === 'notices'} />
            <LogStrip log={log} now={now} />
            <ViewerMenu viewer={viewer} />
          </div>
        </header>
        <main id="main" tabIndex={-1}>
          {props.back !== undefined && (
            <p class="crumbs">
              <a href={props.back.href} data-key="u">
                {props.back.label}
              </a>
            </p>
          )}
          <h1>{title}</h1>
          {children}
        </main>
        <div id="live" role="status" class="unseen" />
        <HelpDialog current={current} viewer={viewer} />
        <PaletteDialog />
        <SessionDialog />
        <footer class="paper">
          <p>
            {title} · {programme} · printed from the console of the node, as of {now.toISOString()} · log size{' '}
            {String(log.size)}
            {log.root !== undefined && ` · root ${log.root}`}
          </p>
        </footer>
      </body>
    </html>
  )
}
