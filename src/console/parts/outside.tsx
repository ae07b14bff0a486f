import type { ComponentChildren, VNode } from 'preact'
import type { Href } from '../links.ts'
import type { Look } from '../look.ts'
import { Icon } from './icon.tsx'

export interface OutsideProps {
  asset(name: string): Href
  look: Look
  programme: string
  banner?: string
  title: string
  children?: ComponentChildren
}

/** A page for who is not signed in: no navigation, nothing of the programme but its name. */
export const Outside = ({ asset, look, programme, banner, title, children }: OutsideProps): VNode => (
  <html lang="en" class={`theme-${look.theme} ${look.density}`}>
    <head>
      <meta charset="utf-8" />
      <title>{`${title} · Aldis`}</title>
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content={look.theme === 'system' ? 'light dark' : look.theme} />
      <link rel="icon" href={asset('icon.svg')} type="image/svg+xml" />
      <link rel="stylesheet" href={asset('console.css')} />
    </head>
    <body class="outside">
      {banner !== undefined && (
        <p class="banner">
          <Icon name="alert" /> {banner}
        </p>
      )}
      <main id="main" class="card">
        <p class="brand">
          <strong>Aldis</strong> <span class="muted">{programme}</span>
        </p>
        <h1>{title}</h1>
        {children}
      </main>
    </body>
  </html>
)
