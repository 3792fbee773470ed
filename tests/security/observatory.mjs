// Print the grade of MDN's HTTP Observatory: node observatory.mjs PACKAGE HOST HTTP_PORT HTTPS_PORT PATH
//
// Its own scan() takes no ports, so this does the same as scan() with the result of retrieve().

const [packaged, host, httpPort, httpsPort, path] = process.argv.slice(2);
const {retrieve} = await import(`${packaged}/src/retriever/retriever.js`);
const {ALL_TESTS} = await import(`${packaged}/src/constants.js`);
const {MINIMUM_SCORE_FOR_EXTRA_CREDIT} = await import(`${packaged}/src/grader/charts.js`);
const {getGradeForScore, getScoreModifier} = await import(`${packaged}/src/grader/grader.js`);

const retrieved = await retrieve(host, {httpPort: Number(httpPort), httpsPort: Number(httpsPort), path});
const tests = {};
let base = 100;
let extra = 0;
for (const test of ALL_TESTS) {
    const output = test(retrieved);
    const modifier = getScoreModifier(output.result);
    tests[output.constructor.name] = {result: output.result, pass: output.pass, modifier};
    base += Math.min(modifier, 0);
    extra += Math.max(modifier, 0);
}
const {grade, score} = getGradeForScore(base >= MINIMUM_SCORE_FOR_EXTRA_CREDIT ? base + extra : base);
const {status, verified} = retrieved.responses.https ?? {};
console.log(JSON.stringify({grade, score, status, verified, tests}));
process.exit(0);
