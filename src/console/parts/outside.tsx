import type { ComponentChildren, VNode } from 'preact'
import { Head, type HeadProps } from './head.tsx'
import { Icon } from './icon.tsx'

export interface OutsideProps extends Pick<HeadProps, 'asset' | 'look' | 'title'> {
  programme: string
  banner?: string
  children?: ComponentChildren
}

/** A page for who is not signed in: no navigation, nothing of the programme but its name. */
export const Outside = ({ asset, look, programme, banner, title, children }: OutsideProps): VNode => (
  <html lang="en" class={`theme-${look.theme} ${look.density}`}>
    <Head {...{ asset, look, title }} />
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
