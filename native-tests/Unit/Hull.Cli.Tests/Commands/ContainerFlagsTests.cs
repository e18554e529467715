using System.CommandLine;
using Hull.Cli.Commands;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Engine.Containers;

namespace Hull.Cli.Tests.Commands;

public class ContainerFlagsTests
{
    [Fact]
    public void Read_ImageOnly_AsksForNothing()
    {
        CreateRequest request = Read("busybox");
        Assert.Equal("busybox", request.Image);
        Assert.Null(request.Payload.Command);
        Assert.Equal(new HostConfig(), request.Host);
    }

    [Fact]
    public void Read_Payload_EveryFlagHasItsPlace()
    {
        PayloadConfig payload = Read(
            "-it -e A=1 -w /work -u 1:2 -h box --domainname d --entrypoint /bin/sh -l x=y -l z --stop-signal INT --stop-timeout 3 --expose 80-81 --expose 53/udp img -c true").Payload;
        Assert.True(payload.Tty && payload.OpenStdin && payload.StdinOnce && payload.AttachStdin && payload.AttachStdout && payload.AttachStderr);
        Assert.Equal(["A=1"], payload.Env);
        Assert.Equal(("/work", "1:2", "box", "d"), (payload.WorkingDirectory, payload.User, payload.Hostname, payload.Domainname));
        Assert.Equal(["/bin/sh"], payload.Entrypoint);
        Assert.Equal(["-c", "true"], payload.Command);
        Assert.Equal(("y", ""), (payload.Labels!["x"], payload.Labels["z"]));
        Assert.Equal(("INT", 3), (payload.StopSignal, payload.StopTimeout));
        Assert.Equal(["80/tcp", "81/tcp", "53/udp"], payload.ExposedPorts);
    }

    [Fact]
    public void Read_Host_EveryFlagHasItsPlace()
    {
        HostConfig host = Read(
            "--rm --read-only --cap-add NET_ADMIN --cap-drop ALL --privileged --security-opt no-new-privileges --device /dev/null:/dev/x:r "
            + "--ulimit nofile=10:20 --sysctl a.b=1 --group-add 5 --init --pid host --ipc none --uts host --cgroupns private --userns host "
            + "--network none -m 64m --memory-swap -1 --cpus 1.5 --cpu-shares 512 --cpuset-cpus 0 --pids-limit 10 --oom-score-adj 5 "
            + "--shm-size 1m --log-opt max-size=1m --cidfile /tmp/c -v /a:/b:ro --tmpfs /t --add-host a:1 --dns 1.1.1.1 img").Host;
        Assert.True(host is { AutoRemove: true, ReadonlyRootfs: true, Privileged: true, Init: true });
        Assert.Equal(["NET_ADMIN"], host.CapAdd);
        Assert.Equal(["ALL"], host.CapDrop);
        Assert.Equal("/dev/x", host.Devices![0].ContainerPath);
        Assert.Equal((10, 20), (host.Ulimits![0].Soft, host.Ulimits[0].Hard));
        Assert.Equal("1", host.Sysctls!["a.b"]);
        Assert.Equal(("host", "none", "host", "private", "host", "none"), (host.PidMode, host.IpcMode, host.UtsMode, host.CgroupnsMode, host.UsernsMode, host.NetworkMode));
        Resources resources = host.Resources!;
        Assert.Equal((64L << 20, -1L, 1_500_000_000L, 512L, "0", 10L), (resources.Memory, resources.MemorySwap, resources.NanoCpus, resources.CpuShares, resources.CpusetCpus, resources.PidsLimit));
        Assert.Equal((5, 1L << 20, "1m", "/tmp/c"), (host.OomScoreAdj, host.ShmSize, host.LogConfig!.Options!["max-size"], host.CidFile));
        Assert.Equal(["/b", "/t"], host.Mounts!.Select(mount => mount.Target));
    }

    [Fact]
    public void Read_Networks_AreEndpointsWithTheirWords()
    {
        HostConfig host = Read("--network name=one,alias=db,ip=10.0.0.2,gw-priority=3 --network two -p 8080:80 -p 53:53/udp -P --expose 9 x").Host;

        Assert.Equal(("one", true), (host.NetworkMode, host.PublishAll));
        Assert.Equal(["one", "two"], host.Endpoints!.Select(endpoint => endpoint.NetworkName));
        Assert.Equal(("10.0.0.2", 3, "db"), (host.Endpoints![0].IPv4, host.Endpoints[0].GatewayPriority, Assert.Single(host.Endpoints[0].Aliases!)));
        Assert.Equal(["8080:80", "53:53/udp"], host.Publish);
        Assert.Equal(["9/tcp", "80/tcp", "53/udp"], Read("--expose 9 -p 8080:80 -p 53:53/udp x").Payload.ExposedPorts);
    }

    [Fact]
    public void Read_AddressOfTheOnlyNetwork_IsItsEndpoints()
    {
        HostConfig host = Read("--network one --ip 10.0.0.2 --ip6 fd00::2 --network-alias db --link web:sql --link dns --mac-address 02:42:00:00:00:01 x").Host;

        Assert.Equal(("10.0.0.2", "fd00::2", "02:42:00:00:00:01"), (host.Endpoints![0].IPv4, host.Endpoints[0].IPv6, host.Endpoints[0].MacAddress));
        Assert.Equal(["web:sql", "dns"], host.Endpoints[0].Links);
        Assert.Equal(["web"], Read("--link web x").Host.Endpoints![0].Links);
        Assert.Equal((null, "host"), (Read("--network host x").Host.Endpoints, Read("--network host x").Host.NetworkMode));
    }

    [Theory]
    [InlineData("-p 80:70000 x", "Invalid containerPort: 70000")]
    [InlineData("--expose 9-8 x", "invalid range format for --expose: 9-8")]
    [InlineData("--network name=a --network b --ip 10.0.0.2 x", "addresses, aliases and links belong to one of them")]
    [InlineData("--network ip=10.0.0.2 x", "the field name= is missing")]
    [InlineData("--network name=a,colour=red x", "invalid field key colour in --network")]
    [InlineData("--network name=a,gw-priority=high x", "invalid gw-priority (high)")]
    [InlineData("--network name=a --network b --link web:db x", "links belong to one of them")]
    [InlineData("--link-local-ip 169.254.1.1 x", "--link-local-ip is not available yet")]
    [InlineData("--health-cmd x x", "--health-cmd is not available yet: health checks")]
    [InlineData("--gpus all x", "--gpus is not available yet")]
    [InlineData("--rm --restart always x", "conflicting options: cannot specify both --restart and --rm")]
    [InlineData("--restart sometimes x", "invalid restart policy: unknown policy 'sometimes'")]
    [InlineData("--log-opt a x", "invalid logging opts format")]
    [InlineData("--env-file /nonexistent x", "open /nonexistent: no such file or directory")]
    [InlineData("-a stdout -a foo x", "valid streams are STDIN, STDOUT and STDERR")]
    [InlineData("--expose a x", "invalid range format for --expose: a")]
    public void Read_Refused_SaysWhy(string line, string message) =>
        Assert.StartsWith(message, Assert.ThrowsAny<EngineException>(() => Read(line)).Message is var text && text.Contains(message, StringComparison.Ordinal) ? message : text, StringComparison.Ordinal);

    [Theory]
    [InlineData("-c x y", "invalid argument \"x\" for \"-c, --cpu-shares\" flag: strconv.ParseInt: parsing \"x\": invalid syntax")]
    [InlineData("-m x y", "invalid argument \"x\" for \"-m, --memory\" flag: invalid size: 'x'")]
    [InlineData("--cpus x y", "invalid argument \"x\" for \"--cpus\" flag: failed to parse x as a number of CPUs")]
    [InlineData("--ulimit x y", "invalid argument \"x\" for \"--ulimit\" flag: invalid ulimit argument: x")]
    [InlineData("--oom-score-adj 5000 y", "invalid argument \"5000\" for \"--oom-score-adj\" flag: expected a number from -1000 to 1000")]
    [InlineData("--sysctl foo y", "invalid argument \"foo\" for \"--sysctl\" flag: sysctl 'foo' is not of the form name=value")]
    public void Read_WrongValue_NamesTheFlag(string line, string message) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => Read(line)).Message);

    [Fact]
    public void Read_EnvironmentFile_LinesThenFlags()
    {
        string file = Path.GetTempFileName();
        Environment.SetEnvironmentVariable("HULL_TEST_OWN", "mine");
        try
        {
            File.WriteAllText(file, "# comment\n\n A=1\nHULL_TEST_OWN\nHULL_TEST_NONE\nB=x y=z \n");
            PayloadConfig payload = Read($"--env-file {file} -e HULL_TEST_OWN -e HULL_TEST_NONE -e A=2 x").Payload;
            Assert.Equal(["A=1", "HULL_TEST_OWN=mine", "B=x y=z ", "HULL_TEST_OWN=mine", "HULL_TEST_NONE", "A=2"], payload.Env);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("x", "missing")]
    [InlineData("--pull always x", "always")]
    public void PullPolicy_Flag_Word(string line, string expected)
    {
        (ContainerFlags flags, _, ParseResult result) = Parse(line);
        Assert.Equal(expected, flags.PullPolicy(result));
    }

    private static CreateRequest Read(string line)
    {
        (ContainerFlags flags, HullCommand command, ParseResult result) = Parse(line);
        return flags.Read(result, command.Positional(result), attached: true);
    }

    private static (ContainerFlags Flags, HullCommand Command, ParseResult Result) Parse(string line)
    {
        HullCommand command = new("run", "", "", 1) { OptionsEndAtArgument = true };
        ContainerFlags flags = new(command);
        ParseResult result = command.Parse(ArgumentScanner.Scan(command, line.Split(' ')).Tokens);
        Assert.Empty(result.Errors);
        return (flags, command, result);
    }
}
