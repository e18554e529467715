namespace Hull.Cli.Templates;

/// <summary>Equality and order of a template's scalars. Values of unlike kinds do not compare.</summary>
internal static class TemplateComparison
{
    public static bool AreEqual(TemplateValue left, TemplateValue right)
    {
        bool leftNone = left.Kind is TemplateKind.Nil or TemplateKind.Missing;
        bool rightNone = right.Kind is TemplateKind.Nil or TemplateKind.Missing;
        if (leftNone || rightNone)
        {
            return leftNone && rightNone;
        }

        if (left.Kind == TemplateKind.Bool && right.Kind == TemplateKind.Bool)
        {
            return left.Integer == right.Integer;
        }

        return Compare("eq", left, right) == 0;
    }

    public static int Compare(TemplateValue left, TemplateValue right) => Compare("lt", left, right);

    private static int Compare(string name, TemplateValue left, TemplateValue right)
    {
        if (left.Kind == TemplateKind.Text && right.Kind == TemplateKind.Text)
        {
            return string.CompareOrdinal(left.Text, right.Text);
        }

        if (left.Kind == TemplateKind.Integer && right.Kind == TemplateKind.Integer)
        {
            return left.Integer.CompareTo(right.Integer);
        }

        // Numbers of a JSON document have no type of their own, so an integer there compares with a real number.
        if (IsNumber(left) && IsNumber(right))
        {
            return Real(left).CompareTo(Real(right));
        }

        bool basic = IsBasic(left) && IsBasic(right);
        throw new TemplateException($"error calling {name}: {(basic ? "incompatible types for comparison" : "invalid type for comparison")}");
    }

    private static bool IsBasic(TemplateValue value) =>
        value.Kind is TemplateKind.Bool or TemplateKind.Integer or TemplateKind.Float or TemplateKind.Text;

    private static bool IsNumber(TemplateValue value) => value.Kind is TemplateKind.Integer or TemplateKind.Float;

    private static double Real(TemplateValue value) => value.Kind == TemplateKind.Integer ? value.Integer : value.Float;
}
