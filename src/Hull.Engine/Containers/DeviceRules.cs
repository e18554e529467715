using System.Globalization;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;

namespace Hull.Engine.Containers;

/// <summary>--device-cgroup-rule <c>a|b|c MAJOR:MINOR [rwm]</c>, <c>*</c> for any number.</summary>
internal static class DeviceRules
{
    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    public static DeviceRule Parse(string text)
    {
        string[] parts = text.Split(' ');
        string[] numbers = parts.Length == 3 ? parts[1].Split(':') : [];
        if (parts.Length != 3 || parts[0] is not ("a" or "b" or "c") || numbers.Length != 2
            || !TryNumber(numbers[0], out long? major) || !TryNumber(numbers[1], out long? minor)
            || parts[2].Length is 0 or > 3 || parts[2].AsSpan().ContainsAnyExcept('r', 'w', 'm'))
        {
            throw EngineException.Invalid($"invalid device cgroup rule format: '{FlagText.Printable(text)}'");
        }

        return new DeviceRule { Allow = true, Type = parts[0], Major = major, Minor = minor, Access = parts[2] };
    }

    private static bool TryNumber(string text, out long? number)
    {
        number = null;
        if (text == "*")
        {
            return true;
        }

        bool valid = uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint value);
        number = value;
        return valid;
    }
}
