/**
 * Installs what `package-lock.json` names, where `node_modules` lacks it or is older.
 *
 * npm writes `node_modules/.package-lock.json` last: it is there, and newer than the lock, only after a
 * whole install.
 */

const root = new URL("..", import.meta.url);

function modified(path: string): number {
  try {
    return Deno.statSync(new URL(path, root)).mtime?.getTime() ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

if (modified("node_modules/.package-lock.json") <= modified("package-lock.json")) {
  console.error("Installing the packages of package-lock.json with npm…");
  const { code } = await new Deno.Command("npm", { args: ["ci", "--silent"], cwd: root }).spawn().status;
  if (code !== 0) {
    console.error(
      "npm ci failed: it needs npm 10 or newer and reach to the npm registry; `npm ci` alone says more",
    );
    Deno.exit(1);
  }
}
