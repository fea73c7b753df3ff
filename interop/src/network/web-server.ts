// A web server in a world: it serves the files of one folder, by their names alone, on port 80 of every address that its
// machine has. It is a process of its own, so that it lives on the machine that it is for.

import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';

const [folder = '.'] = process.argv.slice(2);

createServer((request, response) => {
  const file = createReadStream(join(folder, basename(request.url ?? '')));
  file.on('error', () => {
    response.statusCode = 404;
    response.end('there is nothing');
  });
  file.pipe(response);
}).listen(80, '0.0.0.0', () => process.stdout.write('serving\n'));
