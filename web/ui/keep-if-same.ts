import { Component, type ComponentType, type FunctionComponent, h } from 'preact'

function differs(one: object, other: object): boolean {
  const left = Object.entries(one)
  const right = new Map(Object.entries(other))
  return left.length !== right.size || left.some(([name, value]) => !Object.is(right.get(name), value))
}

/** Renders again only when a property is another one: for rows of a long list. */
export function keepIfSame<P extends object>(Inner: FunctionComponent<P>): ComponentType<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return differs(this.props, next)
    }
    override render() {
      return h(Inner, this.props)
    }
  }
}
