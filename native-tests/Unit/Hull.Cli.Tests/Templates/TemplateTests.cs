using System.Text.Json;
using Hull.Cli.Templates;

namespace Hull.Cli.Tests.Templates;

public class TemplateTests
{
    private const string Document = """
        {"Id":"abc","Name":"/web","Created":"2024-01-02T03:04:05Z",
         "State":{"Status":"running","Pid":4242,"Running":true,"Error":"","Health":null},
         "Config":{"Env":["PATH=/bin","A=1"],"Labels":{"b":"2","a":"1"},"Cmd":null},
         "HostConfig":{"NanoCpus":1500000000,"Ratio":0.5,"Memory":0}}
        """;

    [Theory]
    [InlineData("{{.State.Pid}}", "4242")]
    [InlineData("{{.Name}}:{{.State.Status}}", "/web:running")]
    [InlineData("{{ .HostConfig.NanoCpus }}", "1500000000")]
    [InlineData("{{.HostConfig.Ratio}}", "0.5")]
    [InlineData("{{.Config.Env}}", "[PATH=/bin A=1]")]
    [InlineData("{{.Config.Labels}}", "map[a:1 b:2]")]
    [InlineData("{{.Config.Cmd}}", "<nil>")]
    [InlineData("{{.State.Running}}", "true")]
    [InlineData("{{json .Config.Env}}", "[\"PATH=/bin\",\"A=1\"]")]
    [InlineData("{{json .State}}", "{\"Status\":\"running\",\"Pid\":4242,\"Running\":true,\"Error\":\"\",\"Health\":null}")]
    [InlineData("{{.Id | printf \"%-5s|\"}}", "abc  |")]
    [InlineData("{{printf \"%s has %d, %05d, %x, %q %v%%\" .Id .State.Pid 42 255 .Name true}}", "abc has 4242, 00042, ff, \"/web\" true%")]
    [InlineData("{{printf \"%.2f\" .HostConfig.Ratio}}", "0.50")]
    [InlineData("{{printf \"%d\" .Id}}", "%!d(string=abc)")]
    [InlineData("{{printf \"%s\"}}", "%!s(MISSING)")]
    [InlineData("{{join .Config.Env \",\"}}", "PATH=/bin,A=1")]
    [InlineData("{{split .Created \"T\"}}", "[2024-01-02 03:04:05Z]")]
    [InlineData("{{index (split .Created \"T\") 0}}", "2024-01-02")]
    [InlineData("{{index .Config.Labels \"b\"}}", "2")]
    [InlineData("{{index .Config.Labels \"zz\"}}", "<no value>")]
    [InlineData("{{(index .Config.Env 1)}}", "A=1")]
    [InlineData("{{upper .Id}} {{lower \"ABC\"}} {{title \"hello big world\"}}", "ABC abc Hello Big World")]
    [InlineData("{{truncate .Id 2}}", "ab")]
    [InlineData("{{pad .Id 1 2}}|", " abc  |")]
    [InlineData("{{len .Config.Env}}", "2")]
    [InlineData("{{slice .Id 1 2}}", "b")]
    [InlineData("{{println .Id .Name}}", "abc /web\n")]
    [InlineData("{{print 1 2 \"x\" 3}}", "1 2x3")]
    [InlineData("{{if .State.Running}}up{{else}}down{{end}}", "up")]
    [InlineData("{{if .State.Error}}x{{else if eq .State.Pid 4242}}y{{else}}z{{end}}", "y")]
    [InlineData("{{if and .State.Running (gt .State.Pid 100)}}big{{end}}", "big")]
    [InlineData("{{or .State.Error .Name}}", "/web")]
    [InlineData("{{not .State.Running}}", "false")]
    [InlineData("{{eq .Id \"x\" \"abc\"}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{ge 1 2}}", "true true true true false")]
    [InlineData("{{range .Config.Env}}[{{.}}]{{end}}", "[PATH=/bin][A=1]")]
    [InlineData("{{range $i, $e := .Config.Env}}{{$i}}={{$e}};{{end}}", "0=PATH=/bin;1=A=1;")]
    [InlineData("{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}} {{end}}", "a:1 b:2 ")]
    [InlineData("{{range .Config.Cmd}}x{{else}}none{{end}}", "none")]
    [InlineData("{{range $i, $e := .Config.Env}}{{if $i}}{{break}}{{end}}{{$e}}{{end}}", "PATH=/bin")]
    [InlineData("{{range $i, $e := .Config.Env}}{{if not $i}}{{continue}}{{end}}{{$e}}{{end}}", "A=1")]
    [InlineData("{{with .State}}{{.Pid}}-{{$.Id}}{{end}}", "4242-abc")]
    [InlineData("{{with .State.Error}}x{{else}}fine{{end}}", "fine")]
    [InlineData("{{$x := .Id}}{{$x = upper $x}}{{$x}}", "ABC")]
    [InlineData("{{$s := .State}}{{$s.Pid}}", "4242")]
    [InlineData("a  {{- .Id -}}  b", "aabcb")]
    [InlineData("a{{/* nothing */}}b {{- /* trimmed */ -}} c", "abc")]
    [InlineData("{{`raw \\n`}}{{\"\\t\"}}{{true}}{{3.5}}{{0x10}}", "raw \\n\ttrue3.516")]
    [InlineData("no action", "no action")]
    public void Execute_Document_PrintsAsGoDoes(string template, string expected) =>
        Assert.Equal(expected, Execute(template));

    [Theory]
    [InlineData("{{.Nope}}", "template: :1: executing \"\" at <.Nope>: map has no entry for key \"Nope\"")]
    [InlineData("{{.Id.Nope}}", "template: :1: executing \"\" at <.Id.Nope>: can't evaluate field Nope in type string")]
    [InlineData("{{.State.Health.Status}}", "template: :1: executing \"\" at <.State.Health.Status>: nil pointer evaluating interface {}.Status")]
    [InlineData("{{.Id", "template parsing error: template: :1: unclosed action")]
    [InlineData("{{nope .Id}}", "template parsing error: template: :1: function \"nope\" not defined")]
    [InlineData("{{if .Id}}x", "template parsing error: template: :1: unexpected EOF")]
    [InlineData("{{end}}", "template parsing error: template: :1: unexpected {{end}}")]
    [InlineData("{{}}", "template parsing error: template: :1: missing value for command")]
    [InlineData("{{$x}}", "template parsing error: template: :1: undefined variable \"$x\"")]
    [InlineData("{{break}}", "template parsing error: template: :1: {{break}} outside {{range}}")]
    [InlineData("{{\"abc}}", "template parsing error: template: :1: unterminated quoted string")]
    [InlineData("{{.Id | 3}}", "template parsing error: template: :1: non executable command in pipeline stage 2")]
    [InlineData("{{index .Config.Env 9}}", "template: :1: executing \"\" at <index .Config.Env 9>: error calling index: reflect: slice index out of range: 9")]
    [InlineData("{{lt .Id 1}}", "template: :1: executing \"\" at <lt .Id 1>: error calling lt: incompatible types for comparison")]
    [InlineData("{{join .Id}}", "template: :1: executing \"\" at <join .Id>: wrong number of args for join: want 2 got 1")]
    public void Execute_WrongTemplate_SaysWhy(string template, string message) =>
        Assert.Equal(message, Assert.Throws<TemplateException>(() => Execute(template)).Message);

    private static string Execute(string template)
    {
        using JsonDocument document = JsonDocument.Parse(Document);
        return Template.Parse(template).Execute(TemplateValue.Of(document.RootElement));
    }
}
