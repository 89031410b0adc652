import { render } from 'preact'
import '../ui/styles/index.css'
import './start.css'
import { siteRoot } from '../ui/site-address.ts'
import { StartPage } from './StartPage.tsx'

render(<StartPage root={siteRoot(location.href, './')} />, document.getElementById('app') ?? document.body)
