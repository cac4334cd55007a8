"""One car from reception to pick-up, played by the people of the shop in their browsers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Entry, Office

pytestmark = pytest.mark.browser

CASE = "粤B12345 · 陈先生"
RECEPTION: Entry = {
    "客户来意": "直接报价或送修",
    "客户诉求": "刹车有异响",
    "客户名称": "陈先生",
    "新老客户": "老客户",
    "电话": "13800000001",
    "车号": "粤B12345",
    "车型": "卡罗拉",
    "车种": "轿车",
}
ESTIMATE: Entry = {
    "维修项目": [{"维修项目": "更换前制动片", "维修内容": "左右前轮", "价格": "680"}],
    "承修工种": ["机电"],
    "维修类别": "故障维修",
    "故障所涉系统": "能够找准",
    "配件由谁供应": "我方供应",
    "配件种类": "正厂件",
}


def test_a_car_is_received_repaired_and_picked_up_by_nine_people(office: Office) -> None:
    receptionist, clerk, cashier = (office.person(name) for name in ("wang.fang", "zhao.lei", "wu.xiuying"))

    receptionist.start("进厂维修", RECEPTION)
    receptionist.do("拟定维修估价", CASE, ESTIMATE)
    receptionist.do(
        "业务洽谈",
        CASE,
        {
            "客户决定": "同意进厂维修",
            "交车时间": "2025/03/03 19:00",
            "客户签字（签字人）": "陈先生",
            "已介绍质量保证规定": True,
        },
    )
    receptionist.do(
        "接收证件、视检车辆",
        CASE,
        {"收到的证件": ["行驶证", "保险单"], "证件审验": ["有效", "完整", "完好"], "证件差异": "没有"},
    )
    receptionist.do(
        "清点物品、登记钥匙",
        CASE,
        {
            "随车工具与物品": [{"名称": "千斤顶", "数量": "1"}, {"名称": "三角牌", "数量": "1"}],
            "存物箱号": "12",
            "客户在随车物品清单上签字（签字人）": "陈先生",
            "钥匙编号": "K-12",
            "钥匙柜位置": "A3",
            "油表（百分比）": "40",
            "里程表（公里）": "56000",
            "客户已在进厂维修单上签名": True,
        },
    )
    receptionist.do("建立业务档案", CASE, {"档案袋编号": "D-100", "档案柜位置": "2-3"})
    receptionist.do("填列承修作业组", CASE, {"作业说明": "先拆前轮"})
    washer = office.person("ma.xiaojun", width=390)
    washer.take("清洗车辆", CASE)
    assert washer.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the phone's page is too wide"
    washer.finish("清洗车辆", {"已洗完，车已交业务员": True})
    office.person("he.yong").do("车间接车签字", CASE, {"接车人签字": "何勇"})
    office.person("zhang.gang").do("维修作业", CASE, {"作业情况": "完工", "维修记录": "已更换前制动片"})
    office.person("han.xu").do("质量检验", CASE, {"检验单编号": "J-1", "检验结果": "合格"})
    clerk.do(
        "最后清理车辆",
        CASE,
        {"车厢内部已清洗、清理": True, "外观正常": True, "随车工具和物品已清点放回": True},
    )
    cashier.do(
        "收缴单据、汇总核算",
        CASE,
        {"车间单据已收缴": True, "配件部单据已收缴": True, "工时费": "200", "配件费": "480.5"},
    )

    # The customer is called an hour before the promised time, not before.
    clerk.page.goto("/tasks?whose=groups")
    expect(clerk.row("通知客户接车", CASE)).to_have_count(0)
    clerk.move_clock("到下一个期限")
    expect(clerk.clock).to_contain_text("18:00")
    clerk.do("通知客户接车", CASE, {"接听人": "陈先生"})

    receptionist.do("接待取车客户", CASE, {"取车人": "陈先生", "已介绍维修情况，引领结算": True})
    cashier.do("办理结算", CASE, {"客户意见": "同意结算", "付款方式": "手机支付"})
    papers = ["出厂通知单", "维修单", "结算单", "质量保证书", "随车证件", "车钥匙"]
    cashier.do(
        "开出厂通知单、交单据",
        CASE,
        {"出厂通知单编号": "C-002", "质量保证书编号": "B-7", **dict.fromkeys(papers, True)},
    )
    clerk.do(
        "车场验车",
        CASE,
        {"客户验车": "无异议", "客户在进厂维修单上签名（签字人）": "陈先生"},
    )
    receptionist.do("送客户出厂、归档", CASE, {"已归档资料": ["进厂维修单", "维修结算单"], "保养周期": "5000 公里"})

    follower = office.person("zhou.yan")
    follower.page.goto("/instances")
    cases = follower.page.get_by_role("row").filter(has_text=CASE)
    expect(cases).to_have_count(1)
    expect(cases).to_contain_text("跟踪服务")
    expect(cases).to_contain_text("进行中")
    receptionist.page.goto("/instances")
    order = receptionist.page.get_by_role("row").filter(has_text=CASE).filter(has_text="进厂维修")
    expect(order).to_contain_text("已完成")


def test_in_english_labels_of_forms_tasks_and_diagram_are_english(office: Office) -> None:
    receptionist = office.person("wang.fang", language="en")
    page = receptionist.page
    case = "粤B77777 · Mr Smith"
    receptionist.start(
        "Repair order",
        {
            "The customer wants": "Diagnosis needed",
            "Consent to diagnosis": "Agrees",
            "What the customer says": "The brakes squeal",
            "Customer name": "Mr Smith",
            "Known customer": "Returning",
            "Telephone": "13800000001",
            "Plate number": "粤B77777",
            "Model": "Corolla",
            "Type": "Sedan",
        },
    )
    receptionist.do(
        "Diagnose",
        case,
        {
            "State of the diagnosis": "Clear",
            "Fault or problem": "Worn front pads",
            "Diagnosis": "Weak braking",
            "Suggested repair": "New front pads",
        },
    )

    receptionist.take("Draft the estimate", case)
    page.locator("[data-baton-form].is-ready").wait_for()
    assert chinese_words(page) == []
    page.get_by_role("link", name=case).click()
    diagram = page.locator("[data-baton-diagram].is-ready")
    expect(diagram.locator(".djs-element[data-element-id=diagnose] .djs-visual")).to_contain_text("Diagnose")
    assert chinese_words(page) == []


def chinese_words(page: Page) -> list[str]:
    """Texts of the page in Chinese, but for the number plate and the names of people."""
    texts: list[str] = page.locator("main").evaluate(
        """(main) => [...main.querySelectorAll(':not(script)')]
            .flatMap((element) => [...element.childNodes])
            .filter((node) => node.nodeType === Node.TEXT_NODE && /[\\u4e00-\\u9fff]/.test(node.data))
            .map((node) => node.data.trim())"""
    )
    names = ("粤B77777", "王芳", "李娜", "宋萍")
    return [text for text in texts if not any(name in text for name in names)]
